// The life of a management cluster with one workload cluster, made and removed by commands: what faults and kills are
// tried on, several at a time.

import type { VirtualAccount } from './account.ts';
import { FleetRecords } from './fleet-records.ts';
import { countByType, taggedThings } from './leftovers.ts';
import { petra, useStack } from './petra-command.ts';
import { correctedManagement, workload } from './specs.ts';

/** What AWS has of the two clusters when both are ready: the same after every life, whatever happened in it. */
export interface EndState {
  readonly management: string;
  readonly workload: string;
}

export interface LifeNames {
  readonly management: string;
  readonly workload: string;
}

export function namesOf(life: string): LifeNames {
  return { management: `m-${life}`, workload: `w-${life}` };
}

export const lifeVerbs = ['init', 'create', 'delete', 'destroy'] as const;
export type LifeVerb = (typeof lifeVerbs)[number];

export interface LifeOptions {
  /** How often a command may be repeated until it succeeds; 0: it must not notice anything. */
  readonly repeats?: number;
  /** Called before each verb's command. */
  readonly before?: (verb: LifeVerb) => Promise<void>;
}

/** Lives one life. @throws Error when a command does not succeed, or something is left at the end */
export async function live(
  account: VirtualAccount,
  life: string,
  options: LifeOptions = {},
): Promise<EndState> {
  const { repeats = 0, before } = options;
  const names = namesOf(life);
  const files = {
    management: correctedManagement(account.folder, names.management),
    workload: workload(account.folder, names.workload),
  };
  const args: Readonly<Record<LifeVerb, readonly string[]>> = {
    init: ['-f', files.management],
    create: ['-f', files.workload, '--management', names.management],
    delete: ['-f', files.workload, '--yes'],
    destroy: ['-f', files.management, '--yes'],
  };
  const run = async (verb: LifeVerb) => {
    await before?.(verb);
    await repeat(account, ['capi', verb, ...args[verb]], repeats);
  };
  await run('init');
  await run('create');
  const records = new FleetRecords(account);
  const [management, workloadCluster] = [
    await records.cluster(names.management),
    await records.cluster(names.workload),
  ];
  const there = await taggedThings(account.moto);
  const state = {
    management: countByType(there.filter(({ uid }) => uid === management.uid)),
    workload: countByType(there.filter(({ uid }) => uid === workloadCluster.uid)),
  };
  await run('delete');
  await run('destroy');
  const left = (await taggedThings(account.moto)).filter(
    ({ uid }) => uid === management.uid || uid === workloadCluster.uid,
  );
  if (left.length > 0) throw new Error(`${life}: AWS still has ${countByType(left)}`);
  return state;
}

/** Runs the command, and again after a failure, as a person would. */
async function repeat(account: VirtualAccount, args: readonly string[], repeats: number): Promise<void> {
  for (let left = repeats; ; left -= 1) {
    const { code, stdout, stderr } = await petra(account, 'admin', args);
    if (code === 0) return;
    if (left === 0)
      throw new Error(`petra ${args.join(' ')} ended with ${code}:\n${(stdout + stderr).slice(-3_000)}`);
  }
}

/** @throws Error that says what is different from an undisturbed life */
export function expectSameEnd(life: string, state: EndState, undisturbed: EndState): void {
  if (state.management === undisturbed.management && state.workload === undisturbed.workload) return;
  throw new Error(
    `${life} ended with ${state.management}; ${state.workload}; undisturbed it is ${undisturbed.management}; ${undisturbed.workload}`,
  );
}

/** An undisturbed life: the measure of the others. */
export async function liveUndisturbed(account: VirtualAccount): Promise<EndState> {
  await useStack(account, ['admin']);
  return live(account, 'quiet');
}

/** Runs all, a few at a time; every failure is told. */
export async function together(
  jobs: readonly (() => Promise<void>)[],
  atOnce: number,
  say: (line: string) => void,
): Promise<void> {
  const waiting = [...jobs];
  const failures: unknown[] = [];
  const worker = async () => {
    for (let job = waiting.shift(); job; job = waiting.shift())
      await job().catch((error: unknown) => {
        failures.push(error);
        say(`  FAILED: ${error instanceof Error ? error.message : error}`);
      });
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  if (failures.length > 0)
    throw new Error(`${failures.length} of ${jobs.length} lives did not end as they should`);
}
