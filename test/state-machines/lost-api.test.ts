// What waits for a management cluster goes on waiting while its Kubernetes API is away, for longer than calls are retried.

import { expect, test } from 'vitest';
import { providerLabel } from '../../core/capi/provider-components.ts';
import { PetraError } from '../../core/errors.ts';
import { managementSpec, workloadSpec } from '../core/test-ports.ts';
import type { PortFault } from './port-faults.ts';
import { wholePetra } from './whole-petra.ts';

/** Twice as many as the state machines' tries of one Task. */
const lostCalls = 14;

interface LostCall {
  /** The one state that asks this. */
  readonly state: string;
  readonly call: 'kubernetes.list' | 'kubernetes.read';
  readonly kind: string;
  readonly query?: { readonly namespace?: string; readonly labelSelector?: string };
  /** How many are answered first. */
  readonly answered?: number;
}

const lost: readonly LostCall[] = [
  {
    state: 'CheckCertManager',
    call: 'kubernetes.list',
    kind: 'Deployment',
    query: { namespace: 'cert-manager' },
  },
  {
    state: 'StartProviders',
    call: 'kubernetes.list',
    kind: 'Deployment',
    query: { labelSelector: providerLabel },
  },
  { state: 'CheckWebhooks', call: 'kubernetes.read', kind: 'ClusterClass' },
  { state: 'CheckCluster', call: 'kubernetes.list', kind: 'AWSMachine' },
];

/** DeleteCluster asks the same once, before. */
const lostDuringDelete = {
  state: 'CheckDeleted',
  call: 'kubernetes.read',
  kind: 'Cluster',
  answered: 1,
} as const;

test('every wait for a management cluster outlasts an API that is away', async () => {
  const happened = new Map<string, number>();
  const portFaults = lost.map((call) => losing(call, happened));
  const petra = await wholePetra({ portFaults });
  try {
    const succeeded = { status: 'Succeeded', attempt: 1 };
    expect(await petra.init(managementSpec())).toMatchObject(succeeded);
    expect(await petra.create(workloadSpec())).toMatchObject(succeeded);
    petra.portFaults.push(losing(lostDuringDelete, happened));
    expect(await petra.delete('dev')).toMatchObject(succeeded);
    expect(Object.fromEntries(happened)).toEqual(
      Object.fromEntries([...lost, lostDuringDelete].map(({ state }) => [state, lostCalls])),
    );
  } finally {
    await petra.close();
  }
}, 120_000);

function losing(
  { state, call, kind, query = {}, answered = 0 }: LostCall,
  happened: Map<string, number>,
): PortFault {
  let asked = 0;
  const times = () => happened.get(state) ?? 0;
  return {
    call,
    when: (target: { readonly kind: string }, given: LostCall['query']) => {
      const isSame =
        target.kind === kind &&
        given?.namespace === (query.namespace ?? given?.namespace) &&
        given?.labelSelector === (query.labelSelector ?? given?.labelSelector);
      if (isSame) asked += 1;
      return isSame && asked > answered && times() < lostCalls;
    },
    instead: async () => {
      happened.set(state, times() + 1);
      throw new PetraError('KubernetesUnreachable', 'no route');
    },
  };
}
