// The six verbs through the whole deployment, with what goes wrong for users on the way, and what must be true after.

import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import {
  DescribeExecutionCommand,
  paginateListStateMachines,
  StartExecutionCommand,
} from '@aws-sdk/client-sfn';
import { connectStepFunctions } from '../../adapters/step-functions-client.ts';
import type { VirtualAccount } from './account.ts';
import { FleetRecords } from './fleet-records.ts';
import { countByType, taggedThings } from './leftovers.ts';
import { expectPetra, useStack } from './petra-command.ts';
import { KnownSecrets, placesWithSecrets } from './secrecy.ts';
import { correctedManagement, managementFile, workloadFile } from './specs.ts';

const run = promisify(execFile);

export interface StoryMeasures {
  /** From the first command to the last, each with its seconds. */
  readonly steps: readonly { readonly title: string; readonly seconds: number }[];
  readonly secretsLookedFor: number;
}

export async function runStory(account: VirtualAccount, say: (line: string) => void): Promise<StoryMeasures> {
  const steps: { title: string; seconds: number }[] = [];
  const step = async <T>(title: string, work: () => Promise<T>): Promise<T> => {
    const begun = Date.now();
    const result = await work();
    const seconds = (Date.now() - begun) / 1000;
    steps.push({ title, seconds });
    say(`  ${title}: ${seconds.toFixed(1)} s`);
    return result;
  };
  const known = new KnownSecrets();
  const records = new FleetRecords(account);
  const corrected = correctedManagement(account.folder);
  const badSpec = path.join(account.folder, 'bad.yaml');
  writeFileSync(badSpec, 'apiVersion: petra.sh/v1alpha1\nkind: Cluster\nmetadata:\n  name: Bad_Name\n');

  await step('callers find the stack', () => useStack(account, ['reader', 'operator', 'admin']));
  await step('who has no permission is refused', async () => {
    await expectPetra(account, 'stranger', ['capi', 'list', '--endpoint', account.apiUrl], { code: 5 });
    await expectPetra(account, 'reader', ['capi', 'init', '-f', corrected], { code: 5 });
    await expectPetra(account, 'reader', ['capi', 'list']);
  });
  await step('bad input is refused', async () => {
    await expectPetra(account, 'operator', ['capi', 'init', '-f', badSpec], { code: 2 });
    await expectPetra(account, 'operator', ['capi', 'create', '-f', workloadFile], {
      code: 4,
      says: ['petra capi init'],
    });
    await expectPetra(account, 'operator', ['capi', 'describe', 'nobody'], { code: 3 });
  });
  await step("init of the user's own spec is refused before anything is made", async () => {
    await expectPetra(account, 'operator', ['capi', 'init', '-f', managementFile], {
      code: 2,
      says: ['v2.7.4'],
    });
    expectNothing(await taggedThings(account.moto), 'after a refused init');
  });
  await step('init', () => expectPetra(account, 'operator', ['capi', 'init', '-f', corrected]));
  await known.learn(account);
  await step('create', () => expectPetra(account, 'operator', ['capi', 'create', '-f', workloadFile]));
  await known.learn(account);
  await step('list, describe, events and operations', async () => {
    await expectPetra(account, 'reader', ['capi', 'list'], { says: ['petra-mgmt', 'workload-dev', 'Ready'] });
    await expectPetra(account, 'reader', ['capi', 'describe', 'workload-dev'], { says: ['workload-dev'] });
    await expectPetra(account, 'reader', ['capi', 'events', 'petra-mgmt'], { says: ['user/operator'] });
    await expectPetra(account, 'reader', ['capi', 'operations'], { says: ['init-petra-mgmt'] });
  });
  await step('cluster-kubeconfig', () => useKubeconfig(account));
  await step('the resource ledger equals what AWS has', () => compareLedger(account, records));
  await step('reconcile', () => reconcile(account));
  await step('a removal that may not be is refused', async () => {
    await expectPetra(account, 'operator', ['capi', 'delete', '-f', workloadFile, '--yes'], { code: 5 });
    await expectPetra(account, 'admin', ['capi', 'destroy', '-f', corrected, '--yes'], {
      code: 4,
      says: ['workload-dev'],
    });
  });
  await step('delete', () => expectPetra(account, 'admin', ['capi', 'delete', '-f', workloadFile, '--yes']));
  await step('destroy', () => expectPetra(account, 'admin', ['capi', 'destroy', '-f', corrected, '--yes']));
  await step('nothing of Petra is left', async () =>
    expectNothing(await taggedThings(account.moto), 'after destroy'),
  );
  await step('no secret was seen', async () => {
    if (known.size < 3) throw new Error(`only ${known.size} secrets were learnt, so nothing was proved`);
    const places = await placesWithSecrets(account, known);
    if (places.length > 0) throw new Error(`secrets were seen:\n${places.join('\n')}`);
  });
  await step('nothing was called that a role or a network does not allow', () => expectClean(account));
  return { steps, secretsLookedFor: known.size };
}

/** What must be true whenever nothing runs. */
export async function expectClean(account: VirtualAccount): Promise<void> {
  expectNothing(await taggedThings(account.moto), 'at the end');
  const lines = account.edge.violations.map(
    ({ principal, action, resource = '', why }) => `${principal}: ${action} ${resource}: ${why}`,
  );
  if (lines.length > 0) throw new Error(`calls that are not allowed:\n${[...new Set(lines)].join('\n')}`);
}

export function expectNothing(
  found: readonly { readonly type: string; readonly id: string }[],
  when: string,
): void {
  if (found.length === 0) return;
  const list = found.map(({ type, id }) => `${type} ${id}`).join(', ');
  throw new Error(`${when} AWS still has ${countByType(found)}: ${list}`);
}

async function useKubeconfig(account: VirtualAccount): Promise<void> {
  const args = ['capi', 'cluster-kubeconfig', '-f', workloadFile];
  await expectPetra(account, 'reader', args, { code: 5 });
  const { stdout } = await expectPetra(account, 'operator', args);
  const file = path.join(account.folder, 'workload-dev.kubeconfig');
  writeFileSync(file, stdout, { mode: 0o600 });
  // Not at once: the API that kubectl asks is served by this very process.
  const nodes = await run('kubectl', ['--kubeconfig', file, 'get', 'nodes', '-o', 'name']).catch(
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw error;
    },
  );
  const count = nodes?.stdout.split('\n').filter((line) => line.startsWith('node/')).length ?? 3;
  if (count !== 3) throw new Error(`kubectl sees ${count} nodes, not 3: ${nodes?.stdout}`);
}

/** Both ways: what the ledger says exists is there, and what is there with Petra's own mark is in the ledger. */
async function compareLedger(account: VirtualAccount, records: FleetRecords): Promise<void> {
  const found = await taggedThings(account.moto);
  for (const name of ['petra-mgmt', 'workload-dev']) {
    const cluster = await records.cluster(name);
    const ledger = (await records.living(cluster)).map(({ type, id }) => `${type} ${id}`).toSorted();
    const ownTypes = cluster.kind === 'management' ? undefined : new Set(['secret']);
    const there = found
      .filter(({ uid, type }) => uid === cluster.uid && (ownTypes?.has(type) ?? type !== 'volume'))
      .map(({ type, id }) => `${type} ${id}`)
      .toSorted();
    if (ledger.join('\n') !== there.join('\n'))
      throw new Error(`the ledger of ${name} has\n${ledger.join('\n')}\nand AWS has\n${there.join('\n')}`);
    if (ledger.length === 0) throw new Error(`the ledger of ${name} is empty`);
  }
}

/** As the schedule would start it: moto's scheduler never fires. */
async function reconcile(account: VirtualAccount): Promise<void> {
  const client = connectStepFunctions(account.moto.config);
  let machine: string | undefined;
  for await (const { stateMachines = [] } of paginateListStateMachines({ client }, {}))
    machine ??= stateMachines.find(({ name = '' }) => /reconcile/i.test(name))?.stateMachineArn;
  if (machine === undefined) throw new Error('there is no state machine for reconcile');
  const request = new StartExecutionCommand({ stateMachineArn: machine, input: '{}' });
  const { executionArn } = await client.send(request);
  for (;;) {
    const { status, error, cause } = await client.send(new DescribeExecutionCommand({ executionArn }));
    if (status === 'SUCCEEDED') return;
    if (status !== 'RUNNING') throw new Error(`reconcile is ${status}: ${error} ${cause}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
