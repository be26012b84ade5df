// Looks for what must not be seen: join tokens and the keys in kubeconfigs.

import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { GetSecretValueCommand, paginateListSecrets } from '@aws-sdk/client-secrets-manager';
import {
  paginateGetExecutionHistory,
  paginateListExecutions,
  paginateListStateMachines,
} from '@aws-sdk/client-sfn';
import { connectSecretsManager } from '../../adapters/secrets-manager-client.ts';
import { connectStepFunctions } from '../../adapters/step-functions-client.ts';
import type { VirtualAccount } from './account.ts';

/** Texts that give a cluster away, by what they are. Kept by value: secrets are gone when it is time to look. */
export class KnownSecrets {
  readonly #texts = new Map<string, string>();

  get size(): number {
    return this.#texts.size;
  }

  /** Remembers what is in Secrets Manager now. */
  async learn({ moto }: VirtualAccount): Promise<void> {
    const client = connectSecretsManager(moto.config);
    for await (const { SecretList = [] } of paginateListSecrets({ client }, {})) {
      for (const { Name = '' } of SecretList) {
        const { SecretString = '' } = await client
          .send(new GetSecretValueCommand({ SecretId: Name }))
          // One without a value yet.
          .catch(() => ({ SecretString: '' }));
        if (SecretString.length < 16) continue;
        if (!SecretString.startsWith('apiVersion')) this.#texts.set(SecretString, Name);
        for (const [, key = ''] of SecretString.matchAll(/client-key-data: (\S+)/g))
          for (const text of keyTexts(key)) this.#texts.set(text, `the key in ${Name}`);
      }
    }
  }

  /** What of it a text shows. */
  seenIn(text: string): readonly string[] {
    return [...this.#texts].filter(([secret]) => text.includes(secret)).map(([, name]) => name);
  }
}

/** As it is in the file, and as the lines of its PEM. */
function keyTexts(encoded: string): readonly string[] {
  const lines = Buffer.from(encoded, 'base64').toString('utf8').split('\n');
  return [encoded, ...lines.filter((line) => line.length > 40)];
}

/**
 * Where a secret was seen: each execution's history, what Step Functions was sent, logs, and further files. Empty is
 * good.
 */
export async function placesWithSecrets(
  account: VirtualAccount,
  known: KnownSecrets,
  further: readonly string[] = [],
): Promise<readonly string[]> {
  const places: string[] = [];
  const look = (place: string, text: string) => {
    for (const name of known.seenIn(text)) places.push(`${place}: ${name}`);
  };
  for (const { name, events } of await histories(account)) look(`history of ${name}`, JSON.stringify(events));
  for (const text of account.edge.toStepFunctions) look('a request to Step Functions', text);
  const logs = path.join(account.folder, 'functions');
  for (const file of await readdir(logs))
    look(`log of ${file}`, await readFile(path.join(logs, file), 'utf8'));
  look('log of the account', await readFile(path.join(account.folder, 'account.log'), 'utf8'));
  look('log of moto', await account.moto.log());
  for (const file of further) look(file, await readFile(file, 'utf8'));
  return places;
}

/** Every execution with all its events. */
export async function histories({
  moto,
}: VirtualAccount): Promise<readonly { readonly name: string; readonly events: readonly unknown[] }[]> {
  const client = connectStepFunctions(moto.config);
  const found: { readonly name: string; readonly events: readonly unknown[] }[] = [];
  for await (const { stateMachines = [] } of paginateListStateMachines({ client }, {})) {
    for (const { stateMachineArn } of stateMachines) {
      for await (const { executions = [] } of paginateListExecutions({ client }, { stateMachineArn })) {
        for (const { executionArn, name = '' } of executions) {
          const events: unknown[] = [];
          const query = { executionArn, includeExecutionData: true };
          for await (const page of paginateGetExecutionHistory({ client }, query))
            events.push(...(page.events ?? []));
          found.push({ name, events });
        }
      }
    }
  }
  return found;
}
