// Every state's work is done twice in a row, as when an answer is lost on its way: the second time changes nothing.
// Generated from the catalogue of steps; the payloads are those of a real run of every verb.

import { beforeAll, expect, test } from 'vitest';
import { beginMaking, beginRemoval } from '../../core/begin-operation.ts';
import type { Verb } from '../../core/fleet.ts';
import { joinTokenSecretName } from '../../core/management/secret-names.ts';
import type { Ports } from '../../core/petra.ts';
import type { WorkflowInput } from '../../core/ports.ts';
import { steps } from '../../core/steps/catalogue.ts';
import type { StepInput } from '../../core/steps/context.ts';
import { recordFailure } from '../../core/steps/finish.ts';
import { runFinalStep, runStep } from '../../core/steps/run-step.ts';
import { Ec2Records, isAlive } from '../../local/cloud/ec2-records.ts';
import { Pace } from '../../local/pace.ts';
import { runWorkflow } from '../../local/run-workflow.ts';
import { readStateMachine } from '../../local/workflows.ts';
import { managementSpec, workloadSpec } from '../core/test-ports.ts';
import { caller, type WholePetra, wholePetra } from './whole-petra.ts';

interface Observation {
  readonly first: unknown;
  readonly second: unknown;
}

/** By `<verb>.<state>`: what there was after the state's first run, and after its second. */
const observed = new Map<string, Observation[]>();

const states = Object.entries(steps).flatMap(([verb, ofVerb]) =>
  Object.entries(ofVerb)
    .filter(([, step]) => !step.diagnoses)
    .map(([state]) => `${verb}.${state}`),
);

beforeAll(async () => {
  const petra = await wholePetra();
  const ports: Ports = {
    ...petra.ports,
    // Started by the test itself, which runs each state twice.
    workflows: { start: async () => {}, state: async () => 'running' },
  };
  const making = { management: 'mgmt', caller, verb: 'create', spec: workloadSpec() } as const;
  await runTwice(petra, ports, beginMaking(ports, { verb: 'init', spec: managementSpec(), caller }));
  await runTwice(petra, ports, beginMaking(ports, making));
  await runTwice(petra, ports, beginRemoval(ports, { verb: 'delete', name: 'dev', caller, options: {} }));
  await runTwice(petra, ports, beginMaking(ports, making));
  // The deletions that a cascade begins run as usual.
  await runTwice(
    petra,
    { ...ports, workflows: petra.ports.workflows },
    beginRemoval(ports, { verb: 'destroy', name: 'mgmt', caller, options: { cascade: true } }),
  );
  await petra.close();
}, 60_000);

async function runTwice(
  petra: WholePetra,
  ports: Ports,
  beginning: ReturnType<typeof beginMaking>,
): Promise<void> {
  const { operation } = await beginning;
  if (!operation) throw new Error('nothing was begun');
  const { id, verb, cluster, uid, fence } = operation;
  const input: WorkflowInput = { operation: { id, verb, cluster, uid, fence } };
  await runWorkflow(readStateMachine(verb), input, {
    pace: new Pace(2000),
    signal: new AbortController().signal,
    task: (state, payload) => taskTwice(petra, ports, verb, state, payload as StepInput),
  });
}

async function taskTwice(
  petra: WholePetra,
  ports: Ports,
  verb: Verb,
  state: string,
  payload: StepInput,
): Promise<unknown> {
  const step = steps[verb][state];
  if (!step) return recordFailure(ports, payload);
  const run = step.final ? runFinalStep : runStep;
  await run(ports, state, step, payload);
  const first = await everythingPetraWrote(petra, payload);
  const output = await run(ports, state, step, payload);
  const second = await everythingPetraWrote(petra, payload);
  const name = `${verb}.${state}`;
  observed.set(name, [...(observed.get(name) ?? []), { first, second }]);
  return output;
}

test.each(states)('%s changes nothing when it is run again', (state) => {
  expect(observed.get(state), 'it was run').toBeDefined();
  for (const { first, second } of observed.get(state) ?? []) expect(second).toEqual(first);
});

/** What follows from the clock alone, and the timeline, in which runs are counted. */
const passing = new Set(['updatedAt', 'expiresAt', 'observed', 'at', 'startedAt', 'endedAt', 'steps']);

async function everythingPetraWrote(
  { ports, cloud, disk }: WholePetra,
  { operation: { id, cluster, uid } }: StepInput,
): Promise<unknown> {
  const operation = await ports.operations.find(id);
  const records = new Ec2Records(disk);
  const secrets = await cloud.secrets.list(uid);
  const { items: operations } = await ports.operations.list({});
  const { items: events } = await ports.ledger.list(cluster, {});
  const written = {
    record: await ports.fleet.find(cluster),
    operation: { ...operation, ended: operation?.endedAt },
    operations: operations.map((one) => one.id).toSorted(),
    // Each run of a step has its line; beginnings and ends are told once.
    told: events.filter(({ step }) => step === undefined),
    resources: await ports.resources.list(cluster, uid),
    // Those that ended are forgotten after a while, in the middle of a step for all it knows.
    machines: [...records.machines.entries()].flatMap(([key, machine]) => (isAlive(machine) ? key : [])),
    interfaces: [...records.interfaces.entries()].map(([key]) => key),
    secrets,
    token: await cloud.secrets.read(joinTokenSecretName(uid)),
    artifacts: [...disk.collection('cloud.artifacts').entries()].map(([key]) => key),
    objects: operation?.verb === 'destroy' ? [] : appliedObjects(disk, cluster),
  };
  return JSON.parse(JSON.stringify(written, (key, value) => (passing.has(key) ? undefined : value)));
}

interface Applied {
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly uid: string;
    readonly generation?: number;
    readonly deletionTimestamp?: string;
    readonly managedFields?: readonly { readonly manager: string; readonly operation: string }[];
  };
}

/** The objects that Petra applied: controllers have their own, and work meanwhile. */
function appliedObjects(disk: WholePetra['disk'], cluster: string): string[] {
  return (
    disk
      .names()
      .filter((name) => name.startsWith('kubernetes/'))
      .flatMap((name) => [...disk.collection<Applied>(name).entries()])
      .map(([, object]) => object)
      .filter(({ metadata }) => metadata.managedFields?.some(({ manager }) => manager === 'petra'))
      // Deleting takes its time.
      .filter(
        ({ kind, metadata }) => kind !== 'Namespace' && !(kind === 'Cluster' && metadata.name !== cluster),
      )
      .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
      .map(({ kind, metadata: { name, uid, generation } }) =>
        // A Cluster's endpoint is filled in by its controllers, which is a generation of its own.
        kind === 'Cluster' ? `Cluster ${name} ${uid}` : `${kind} ${name} ${uid} ${generation ?? ''}`,
      )
      .toSorted()
  );
}
