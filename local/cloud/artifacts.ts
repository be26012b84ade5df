import { createHash } from 'node:crypto';
import { PetraError } from '../../core/errors.ts';
import type { Artifacts } from '../../core/ports.ts';
import type { Collection, Disk } from '../disk.ts';
import type { Faults } from '../faults.ts';
import { refuseIfAsked } from './refusals.ts';

/** The S3 bucket of release files on one machine. */
export class SimulatedArtifacts implements Artifacts {
  readonly #texts: Collection<string>;
  readonly #faults: Faults;

  constructor(parts: { readonly disk: Disk; readonly faults: Faults }) {
    this.#texts = parts.disk.collection('cloud.artifacts');
    this.#faults = parts.faults;
  }

  async store(text: string): Promise<string> {
    const sha256 = hash(text);
    refuseIfAsked(this.#faults, 's3', 'PutObject', `store ${sha256}`);
    if (this.#texts.get(sha256) !== text) await this.#texts.put(sha256, text);
    return sha256;
  }

  async read(sha256: string): Promise<string | undefined> {
    refuseIfAsked(this.#faults, 's3', 'GetObject', `read ${sha256}`);
    const text = this.#texts.get(sha256);
    if (text === undefined) return undefined;
    const actual = hash(text);
    if (actual === sha256) return text;
    throw new PetraError('ReleaseCorrupt', `stored file ${sha256} has the content of ${actual}`);
  }
}

function hash(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
