import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { errorCatalogue } from '../../core/errors.ts';
import type { Verb } from '../../core/fleet.ts';
import { defaultLimits } from '../../core/petra.ts';
import { steps } from '../../core/steps/catalogue.ts';
import { readStateMachine } from '../../local/workflows.ts';

interface State {
  readonly Type: string;
  readonly Next?: string;
  readonly Default?: string;
  readonly TimeoutSeconds?: number;
  readonly Seconds?: number;
  readonly ItemProcessor?: { readonly States: Readonly<Record<string, State>> };
  readonly Choices?: readonly { readonly Next: string }[];
  readonly Parameters?: {
    readonly FunctionName: string;
    readonly Payload: Readonly<Record<string, unknown>>;
  };
  readonly Retry?: readonly {
    readonly ErrorEquals: readonly string[];
    readonly JitterStrategy?: string;
    readonly MaxAttempts?: number;
    readonly IntervalSeconds?: number;
    readonly BackoffRate?: number;
    readonly MaxDelaySeconds?: number;
  }[];
  readonly Catch?: readonly {
    readonly ErrorEquals: readonly string[];
    readonly ResultPath: string;
    readonly Next: string;
  }[];
}

/** What Step Functions calls the end of a function that was killed, or hung. */
const killed = new Set([
  'Lambda.Unknown',
  'Runtime.ExitError',
  'Runtime.OutOfMemory',
  'Sandbox.Timedout',
  'States.Timeout',
]);

/** What Lambda says of a function that nobody has called for weeks, while it makes it ready again. */
const asleep = [
  'Lambda.CodeArtifactUserPendingException',
  'Lambda.ResourceConflictException',
  'Lambda.ResourceNotReadyException',
];

type Retrier = NonNullable<State['Retry']>[number];

/** How long one retrier waits in all, when chance makes every wait the longest. */
function longestWaits(retrier: Retrier): number {
  const { IntervalSeconds = 1, BackoffRate = 2, MaxAttempts = 3, MaxDelaySeconds = Infinity } = retrier;
  return Array.from({ length: MaxAttempts }, (_, attempt) =>
    Math.min(IntervalSeconds * BackoffRate ** attempt, MaxDelaySeconds),
  ).reduce((sum, seconds) => sum + seconds, 0);
}

function wakes(state: State): Retrier | undefined {
  return state.Retry?.find(({ ErrorEquals }) => ErrorEquals.join() === asleep.join());
}

/** Entered, scheduled, started, succeeded, left; a Choice and a Wait are entered and left. */
const eventsOfTask = 5;
const eventsOfOthers = 4;

/** How long each loop goes on, in seconds. */
const limitOf: Readonly<Record<string, number>> = {
  WaitForApi: defaultLimits.api,
  WaitForNodes: defaultLimits.nodes,
  WaitForCertManager: defaultLimits.certManager,
  WaitForProviders: defaultLimits.provider,
  WaitForWebhooks: defaultLimits.webhooks,
  WaitForCluster: defaultLimits.cluster,
  // Part of the same time, with fewer rounds.
  WaitForNetwork: 0,
  WaitForDeletion: defaultLimits.deletion,
  WaitForMachines: defaultLimits.machines,
  WaitForResidue: defaultLimits.residue,
  WaitForWorkloads: defaultLimits.workloads,
};

const verbs: readonly Verb[] = ['init', 'create', 'delete', 'destroy'];

function statesOf(verb: Verb): ReadonlyMap<string, State> {
  const definition = readStateMachine(verb) as { readonly States: Readonly<Record<string, State>> };
  return new Map(Object.entries(definition.States));
}

function tasksOf(verb: Verb): [string, State][] {
  return [...statesOf(verb)].filter(([, state]) => state.Type === 'Task');
}

describe.each(verbs)('%s', (verb) => {
  const tasks = tasksOf(verb);

  test('its task states are exactly its steps, and RecordFailure', () => {
    const working = tasks.map(([name]) => name).filter((name) => name !== 'RecordFailure');
    expect(working.toSorted()).toEqual(Object.keys(steps[verb]).toSorted());
  });

  test.each(tasks)('%s is carried out by the function of its own name', (name, state) => {
    expect(state.Parameters?.FunctionName).toBe(`\${${name}}`);
    const step = steps[verb][name];
    if (step) expect(step.run.name).toBe(`${name[0]?.toLowerCase()}${name.slice(1)}`);
  });

  test.each(tasks)('%s has a timeout, named retries with full jitter, and a catch', (name, state) => {
    expect(state.TimeoutSeconds).toBeGreaterThan(0);
    expect(state.Retry?.length).toBeGreaterThan(0);
    for (const retry of state.Retry ?? []) {
      expect(retry.JitterStrategy).toBe('FULL');
      expect(retry.MaxAttempts).toBeGreaterThan(0);
      for (const error of retry.ErrorEquals) {
        expect(
          error.startsWith('Lambda.') || killed.has(error) || Object.hasOwn(errorCatalogue, error),
          `${name} retries ${error}`,
        ).toBe(true);
      }
    }
    const caught = (state.Catch ?? []).at(-1);
    expect(caught?.ErrorEquals).toEqual(['States.ALL']);
    expect(caught?.Next).toBe(name === 'RecordFailure' ? 'OperationFailed' : 'RecordFailure');
  });

  test.each(tasks)('%s is run again when its function was killed', (_name, state) => {
    expect(state.Retry?.at(-1)?.ErrorEquals).toEqual([...killed]);
  });

  test.each(tasks)('%s waits for a function that was asleep', (_name, state) => {
    const retrier = wakes(state);
    // Waits are random between none and the longest. Others saw functions take up to 106 s.
    expect(retrier && longestWaits(retrier) / 2).toBeGreaterThan(150);
  });

  test.each(tasks)(
    '%s sends to a diagnosis only errors by name, which then end as they would have',
    (_name, state) => {
      for (const { ErrorEquals, Next } of (state.Catch ?? []).slice(0, -1)) {
        expect(steps[verb][Next]?.diagnoses).toBe(true);
        expect(statesOf(verb).get(Next)?.Next).toBe('RecordFailure');
        for (const error of ErrorEquals) expect(Object.hasOwn(errorCatalogue, error)).toBe(true);
      }
    },
  );

  test.each(tasks)('%s only gets ids and small facts', (_name, state) => {
    const known = ['operation', 'deadline', 'components', 'error', 'serversRun'];
    const given = Object.keys(state.Parameters?.Payload ?? {}).map((key) => key.replace(/\.\$$/, ''));
    expect(given.filter((key) => !known.includes(key))).toEqual([]);
  });

  test('every loop waits, and its check has a deadline that ends it', () => {
    const states = statesOf(verb);
    for (const [name, state] of states) {
      if (state.Type !== 'Wait') continue;
      expect(state.Seconds).toBeGreaterThan(0);
      const check = states.get(state.Next ?? '');
      // What asks EC2 may come first; the check of Kubernetes after it has the deadline.
      const checks = [check, states.get(check?.Next ?? '')];
      expect(
        checks.some((one) => Object.hasOwn(one?.Parameters?.Payload ?? {}, 'deadline.$')),
        `${name} leads to a check`,
      ).toBe(true);
    }
  });

  test('the longest wait and the longest task together are shorter than a lock lasts', () => {
    const longest = Math.max(
      ...[...statesOf(verb).values()].map((state) => (state.TimeoutSeconds ?? 0) + (state.Seconds ?? 0)),
    );
    const waits = [...statesOf(verb).values()].map(({ Retry = [] }) =>
      Retry.reduce((sum, retrier) => sum + longestWaits(retrier), 0),
    );
    expect(longest + Math.max(...waits)).toBeLessThan(15 * 60);
  });

  test('the history of its longest execution fits into what Step Functions keeps', () => {
    const states = statesOf(verb);
    const rounds = [...states].map(([name, { Type, Seconds = 1, Next }]) => {
      if (Type !== 'Wait') return 0;
      const limit = limitOf[name];
      if (limit === undefined) throw new Error(`of ${name} it is not known how long it goes on`);
      const checks = states.get(states.get(Next ?? '')?.Next ?? '')?.Type === 'Task' ? 2 : 1;
      return (limit * (checks * eventsOfTask + eventsOfOthers)) / Seconds;
    });
    const once = states.size * eventsOfTask * 4;
    // https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html: 25,000. Half, since retries add to it.
    expect(rounds.reduce((sum, events) => sum + events, once)).toBeLessThan(12_500);
  });
});

describe('state-machines/README.md', () => {
  const text = readFileSync(path.join(import.meta.dirname, '../../state-machines/README.md'), 'utf8');

  test.each(verbs)('has a row for each state of %s that does work', (verb) => {
    const section = text.split(/^## /m).find((one) => one.startsWith(`${verb}\n`)) ?? '';
    const rows = [...section.matchAll(/^\| `([A-Za-z]+)` \|/gm)].map((match) => match[1]);
    expect(rows).toEqual(Object.keys(steps[verb]));
  });

  test('names only errors that exist', () => {
    const reconciling = JSON.stringify(readStateMachine('reconcile'));
    const codes = [...text.matchAll(/`([A-Z][A-Za-z]+)`/g)].map((match) => match[1] ?? '');
    const states = new Set(verbs.flatMap((verb) => [...statesOf(verb).keys()]));
    const unknown = codes.filter(
      (code) =>
        !states.has(code) &&
        !reconciling.includes(`"${code}"`) &&
        !Object.hasOwn(errorCatalogue, code) &&
        !['Retry', 'Catch', 'Failed', 'Ready'].includes(code),
    );
    expect(unknown).toEqual([]);
  });
});

describe('reconcile', () => {
  const { States } = readStateMachine('reconcile') as { readonly States: Readonly<Record<string, State>> };
  const inMap = States.ReconcileClusters?.ItemProcessor?.States ?? {};
  const tasks = Object.entries({ ...States, ...inMap }).filter(([, state]) => state.Type === 'Task');

  test('has a row in state-machines/README.md for each state that does work', () => {
    const text = readFileSync(path.join(import.meta.dirname, '../../state-machines/README.md'), 'utf8');
    const section = text.split(/^## /m).find((one) => one.startsWith('reconcile\n')) ?? '';
    const rows = [...section.matchAll(/^\| `([A-Za-z]+)` \|/gm)].map((match) => match[1]);
    expect(rows.toSorted()).toEqual(tasks.map(([name]) => name).toSorted());
  });

  test.each(tasks)('%s has a function of its own name, a timeout, retries and a catch', (name, state) => {
    expect(state.Parameters?.FunctionName).toBe(`\${${name}}`);
    expect(state.TimeoutSeconds).toBeGreaterThan(0);
    expect(state.Retry?.at(-1)?.ErrorEquals).toEqual([...killed]);
    expect(wakes(state)).toBeDefined();
    expect(state.Catch?.map(({ ErrorEquals }) => ErrorEquals)).toEqual([['States.ALL']]);
  });
});
