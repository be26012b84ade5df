import type { Secrets } from '../../core/ports.ts';
import type { Collection, Disk } from '../disk.ts';
import type { Faults } from '../faults.ts';
import { refuseIfAsked } from './refusals.ts';

interface SecretRecord {
  readonly cluster: string;
  readonly uid: string;
  readonly value: string;
}

/** Secrets Manager on one machine. The disk must be private to its user: see private-disk.ts. */
export class SimulatedSecrets implements Secrets {
  readonly #records: Collection<SecretRecord>;
  readonly #faults: Faults;

  constructor(parts: { readonly disk: Disk; readonly faults: Faults }) {
    this.#records = parts.disk.collection('cloud.secrets');
    this.#faults = parts.faults;
  }

  async createOnce(secret: SecretRecord & { readonly name: string }): Promise<boolean> {
    this.#refuseIfAsked('CreateSecret', `create ${secret.name}`);
    // Nothing awaits between the look and the write, so that one of many at once wins.
    if (this.#records.get(secret.name)) return false;
    await this.#write(secret);
    return true;
  }

  async put(secret: SecretRecord & { readonly name: string }): Promise<void> {
    this.#refuseIfAsked('PutSecretValue', `write ${secret.name}`);
    await this.#write(secret);
  }

  async read(name: string): Promise<string | undefined> {
    this.#refuseIfAsked('GetSecretValue', `read ${name}`);
    return this.#records.get(name)?.value;
  }

  async list(uid: string): Promise<readonly string[]> {
    this.#refuseIfAsked('ListSecrets', `list the secrets of ${uid}`);
    return [...this.#records.entries()].filter(([, record]) => record.uid === uid).map(([name]) => name);
  }

  async remove(name: string): Promise<void> {
    this.#refuseIfAsked('DeleteSecret', `remove ${name}`);
    await this.#records.delete(name);
  }

  /** The names of all secrets, with whom they belong to; no values. */
  *owners(): IterableIterator<{ readonly name: string; readonly cluster: string; readonly uid: string }> {
    for (const [name, { cluster, uid }] of this.#records.entries()) yield { name, cluster, uid };
  }

  async #write({ name, cluster, uid, value }: SecretRecord & { readonly name: string }): Promise<void> {
    await this.#records.put(name, { cluster, uid, value });
  }

  #refuseIfAsked(call: string, doing: string): void {
    refuseIfAsked(this.#faults, 'secretsmanager', call, doing);
  }
}
