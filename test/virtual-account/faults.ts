// Faults at the AWS edge: every call that functions were seen to make fails in every way that AWS has, while clusters
// live. What passes by itself must go unnoticed; what does not ends with its own error, and the same command goes on.

import type { VirtualAccount } from './account.ts';
import type { FaultForm, PlannedFault } from './edge-faults.ts';
import { type EndState, expectSameEnd, type LifeVerb, lifeVerbs, live, namesOf, together } from './lives.ts';
import { expectPetra } from './petra-command.ts';
import { correctedManagement, workload } from './specs.ts';

export interface FaultMeasures {
  /** Distinct verb and action. */
  readonly calls: number;
  readonly tried: number;
  readonly neverHappened: readonly string[];
}

interface SeenCall {
  readonly verb: string;
  readonly action: string;
}

const livesAtOnce = 3;
const reads = /:(?:Get|Describe|List|Query|Scan|BatchGet|Simulate)/;

/**
 * What happens to the first calls of each kind, one after the other, in lives of their own. Clients of states make four
 * attempts. A call that hangs takes as long as its client waits, so each life has a share of those.
 */
const passing: Readonly<Record<string, readonly [FaultForm, FaultForm]>> = {
  refused: ['throttled', 'failed'],
  broken: ['cut', 'lost'],
  mixed: ['unavailable', 'lost'],
};

export async function runFaults(
  account: VirtualAccount,
  undisturbed: EndState,
  say: (line: string) => void,
): Promise<FaultMeasures> {
  const calls = seenCalls(account);
  say(`  ${calls.length} kinds of calls by verb were seen`);
  const planned: PlannedFault[] = [];
  const disturbed = (life: string, faults: readonly Fault[], repeats: number) => async () => {
    const begun = Date.now();
    const rules = faults.flatMap((fault) => plan(account, life, fault));
    planned.push(...rules);
    expectSameEnd(life, await live(account, life, { repeats }), undisturbed);
    const happened = rules.filter((rule) => rule.happened > 0).length;
    say(`  ${life}: ${happened} faults, ${seconds(begun)}`);
  };
  const writes = calls.filter(({ action }) => !reads.test(action));
  const killed = writes.map((call) => ({ call, form: 'killed' }) as const);
  const lives = Object.entries(passing).map(([life, forms], share, all) => {
    const names = namesOf(life);
    const faults = calls.flatMap((call, index) => {
      const hangs = index % all.length === share;
      if (call.verb !== 'api')
        return [...forms, ...(hangs ? (['hung'] as const) : [])].map((form) => ({ call, form }));
      // A route has little time, and its clients make two attempts: one fault for requests about each cluster.
      const [first, second] = forms;
      return [
        { call, form: hangs ? 'hung' : first, cluster: names.management } as const,
        { call, form: second, cluster: names.workload } as const,
      ];
    });
    return disturbed(life, faults, 0);
  });
  await together(
    [...lives, disturbed('killed', killed, writes.length), () => lastingFaults(account, say)],
    livesAtOnce,
    say,
  );
  const happened = planned.filter((rule) => rule.happened > 0);
  const silent = planned.filter(
    (rule) => !happened.some((one) => one.verb === rule.verb && one.action === rule.action),
  );
  return {
    calls: calls.length,
    tried: happened.length + lasting.length,
    neverHappened: [...new Set(silent.map(({ verb, action }) => `${verb} ${action}`))],
  };
}

interface Fault {
  readonly call: SeenCall;
  readonly form: FaultForm;
  /** Absent: the cluster that the verb is about. */
  readonly cluster?: string;
}

/** What functions of these verbs, and of the API, called so far. */
function seenCalls({ edge }: VirtualAccount): readonly SeenCall[] {
  const seen = new Map<string, SeenCall>();
  for (const [principal, actions] of edge.calls) {
    const [verb = ''] = principal.split('/');
    if (verb !== 'api' && !lifeVerbs.some((known) => known === verb)) continue;
    for (const action of actions.keys()) seen.set(`${verb} ${action}`, { verb, action });
  }
  return [...seen.values()];
}

/** A fault for each cluster of the life that the verb is about. */
function plan(
  { edge }: VirtualAccount,
  life: string,
  { call: { verb, action }, form, cluster: only }: Fault,
): readonly PlannedFault[] {
  const names = namesOf(life);
  const about = {
    init: [names.management],
    destroy: [names.management],
    create: [names.workload],
    delete: [names.workload],
  }[verb] ?? [names.management, names.workload];
  const clusters = only === undefined ? about : [only];
  // A launch has a way of its own to fail.
  const own = form === 'failed' && action === 'ec2:RunInstances' ? 'capacity' : form;
  return clusters.map((cluster) => edge.faults.add({ cluster, verb, action, form: own, times: 1 }));
}

interface LastingFault {
  readonly verb: LifeVerb;
  readonly action: string;
  readonly form: FaultForm;
  readonly code: number;
  readonly error: string;
}

const lasting: readonly LastingFault[] = [
  { verb: 'init', action: 'ec2:RunInstances', form: 'capacity', code: 1, error: 'CapacityUnavailable' },
  { verb: 'init', action: 's3:PutObject', form: 'failed', code: 1, error: 'AwsUnavailable' },
  { verb: 'create', action: 'secretsmanager:CreateSecret', form: 'cut', code: 1, error: 'AwsUnavailable' },
  { verb: 'delete', action: 'secretsmanager:DeleteSecret', form: 'cut', code: 1, error: 'AwsUnavailable' },
  {
    verb: 'destroy',
    action: 'ec2:TerminateInstances',
    form: 'unavailable',
    code: 1,
    error: 'AwsUnavailable',
  },
];

/** Faults that outlast all retries: the command ends with their error, and succeeds when they are over. */
async function lastingFaults(account: VirtualAccount, say: (line: string) => void): Promise<void> {
  const begun = Date.now();
  const names = namesOf('lasting');
  const management = correctedManagement(account.folder, names.management);
  const cluster = workload(account.folder, names.workload);
  const args: Readonly<Record<LifeVerb, readonly string[]>> = {
    init: ['capi', 'init', '-f', management],
    create: ['capi', 'create', '-f', cluster, '--management', names.management],
    delete: ['capi', 'delete', '-f', cluster, '--yes'],
    destroy: ['capi', 'destroy', '-f', management, '--yes'],
  };
  for (const verb of lifeVerbs) {
    for (const fault of lasting.filter((one) => one.verb === verb)) {
      const about = verb === 'init' || verb === 'destroy' ? names.management : names.workload;
      const { action, form, code, error } = fault;
      const rule = account.edge.faults.add({
        cluster: about,
        verb,
        action,
        form,
        times: Number.POSITIVE_INFINITY,
      });
      await expectPetra(account, 'admin', args[verb], { code, says: [error] });
      if (rule.happened === 0) throw new Error(`${verb} never called ${action}`);
      account.edge.faults.clear(about);
    }
    await expectPetra(account, 'admin', args[verb]);
  }
  say(`  lasting: ${lasting.length} faults, ${seconds(begun)}`);
}

function seconds(begun: number): string {
  return `${((Date.now() - begun) / 1000).toFixed(1)} s`;
}
