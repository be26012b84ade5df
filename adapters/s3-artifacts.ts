import { createHash } from 'node:crypto';
import { PetraError } from '../core/errors.ts';
import type { Artifacts } from '../core/ports.ts';
import type { S3Texts } from './s3-texts.ts';

/** Release files by their sums, under `artifacts/sha256/` of a bucket. */
export class S3Artifacts implements Artifacts {
  readonly #texts: S3Texts;

  constructor(texts: S3Texts) {
    this.#texts = texts;
  }

  async store(text: string): Promise<string> {
    const sha256 = hash(text);
    if (await this.#texts.add(keyOf(sha256), text)) return sha256;
    // There is one already. If it is not what its name says, someone has changed it: a repetition mends that.
    if (!(await this.#texts.hasSum(keyOf(sha256), sha256))) await this.#texts.replace(keyOf(sha256), text);
    return sha256;
  }

  async read(sha256: string): Promise<string | undefined> {
    const text = await this.#texts.read(keyOf(sha256));
    if (text === undefined) return undefined;
    const actual = hash(text);
    if (actual === sha256) return text;
    throw new PetraError('ReleaseCorrupt', `stored file ${sha256} has the content of ${actual}`);
  }
}

function keyOf(sha256: string): string {
  return `artifacts/sha256/${sha256}`;
}

function hash(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
