// What single steps say when a state machine, or what they are given, is wrong: whole workflows never get there.

import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { beginMaking } from '../../../core/begin-operation.ts';
import type { Verb } from '../../../core/fleet.ts';
import type { Ports } from '../../../core/petra.ts';
import type { KubernetesObject, Releases } from '../../../core/ports.ts';
import { steps } from '../../../core/steps/catalogue.ts';
import type { StepInput } from '../../../core/steps/context.ts';
import { toFailure, unforeseen } from '../../../core/steps/failure.ts';
import { managementVersions } from '../../../core/steps/init-preflight.ts';
import { managementOf } from '../../../core/steps/management-api.ts';
import { runFinalStep, runStep, type StepOutput } from '../../../core/steps/run-step.ts';
import { SyntheticReleases } from '../../../local/synthetic-releases.ts';
import { cloudOf } from '../../local/cloud-fixture.ts';
import { record } from '../api/recorded-clusters.ts';
import { managementSpec, type TestPorts, testPorts, workloadSpec } from '../test-ports.ts';

const answering = (objects: readonly KubernetesObject[] = []) => ({
  connect: () => ({
    apply: async (object: KubernetesObject) => object,
    read: async () => undefined,
    list: async () => objects,
    remove: async () => {},
    allows: async () => true,
  }),
});

let ports: TestPorts;
beforeEach(async () => {
  ports = await testPorts();
});
afterEach(() => ports.close());

/** Runs one step of a management cluster's init, on these ports. */
async function initStep(
  state: string,
  more: Partial<StepInput> = {},
  parts: Partial<Ports> = {},
  spec = managementSpec(),
): Promise<StepOutput> {
  const { operation } = await beginMaking(ports, { verb: 'init', spec, caller: 'local:tester' });
  if (!operation) throw new Error('nothing runs');
  const { id, verb, cluster, uid, fence } = operation;
  const secrets = { ...ports.secrets, read: async () => 'a kubeconfig' };
  return run({ ...ports, secrets, kubernetes: answering(), ...parts }, verb, state, {
    operation: { id, verb, cluster, uid, fence },
    ...more,
  });
}

async function run(all: Ports, verb: Verb, state: string, input: StepInput): Promise<StepOutput> {
  const step = steps[verb][state];
  if (!step) throw new Error(`${verb} has no ${state}`);
  return (step.final ? runFinalStep : runStep)(all, state, step, input);
}

describe('a state machine that is wrong is told so', () => {
  test('when it gives no deadline', async () => {
    const node = { apiVersion: 'v1', kind: 'Node', metadata: { name: 'a' } };
    const machines = { ...ports.machines, list: async () => [] };
    const pending = { name: 'x', role: 'server', state: 'pending', id: 'i-1', address: '10.0.0.1' } as const;
    const three = {
      ...machines,
      list: async () => [pending, ...['b', 'c'].map((id) => ({ ...pending, id, role: 'agent' as const }))],
    };
    await expect(
      initStep('CheckNodes', {}, { machines: three, kubernetes: answering([node]) }),
    ).rejects.toMatchObject({ code: 'InternalError', message: expect.stringContaining('no "deadline"') });
  });

  test('when it lost the component in hand', async () => {
    await expect(initStep('InstallComponents', { components: {} })).rejects.toMatchObject({
      code: 'ReleaseCorrupt',
      message: 'the stored certManager of the installation is gone',
    });
  });

  test('when its operation was never recorded', async () => {
    const operation = { id: 'init-x-1', verb: 'init', cluster: 'x', uid: 'u', fence: 1 } as const;
    await expect(run(ports, 'init', 'Preflight', { operation })).rejects.toMatchObject({
      code: 'InternalError',
      message: 'operation init-x-1 has no record',
    });
  });

  test('when it runs init for a workload cluster', async () => {
    const workload = await record(ports, 'dev', { management: 'mgmt' });
    expect(() => managementVersions(workload)).toThrow('"dev" is not a management cluster');
  });
});

test('cert-manager is waited for while its Deployments are old, or say nothing of themselves', async () => {
  const deployment = (name: string, status: object, generation?: number): KubernetesObject => ({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace: 'cert-manager', ...(generation === undefined ? {} : { generation }) },
    status,
  });
  const available = { conditions: [{ type: 'Available', status: 'True' }] };
  const all = [
    deployment('unobserved', available, 2),
    deployment('old', { ...available, observedGeneration: 1 }, 2),
    deployment('silent', { conditions: [{ type: 'Available', status: 'False' }] }),
    deployment('fine', available),
  ];
  await expect(
    initStep('CheckCertManager', { deadline: '2026-01-01T00:00:00.000Z' }, { kubernetes: answering(all) }),
  ).rejects.toMatchObject({
    code: 'CertManagerTimedOut',
    message: expect.stringContaining('Deployment unobserved, Deployment old, Deployment silent'),
    evidence: expect.arrayContaining(['Deployment silent: Available=False']),
  });
});

test('preflight of init refuses what the matrix knows cannot work, with its fix', async () => {
  const synthetic = new SyntheticReleases();
  const releases: Releases = { kind: 'upstream', fetch: (asset) => synthetic.fetch(asset) };
  const versions = {
    ...managementSpec().spec.management,
    cabpK3sVersion: 'v0.3.0',
    cacpK3sVersion: 'v0.3.0',
  };
  const spec = workloadSpec('mgmt', { management: versions });
  const { machines, networks, quotas, permissions } = cloudOf();
  const parts = { releases, machines, networks, quotas, permissions };
  await expect(initStep('Preflight', {}, parts, spec)).rejects.toMatchObject({
    code: 'IncompatibleProviders',
    message: expect.stringContaining('needs the image'),
    fix: expect.stringContaining('v0.3.1'),
  });
});

describe('the management cluster', () => {
  test('of a management cluster is itself', async () => {
    const management = await record(ports, 'mgmt', { phase: 'Ready' });
    expect(await managementOf(ports, management)).toMatchObject({ name: 'mgmt' });
  });

  test.each([
    ['is gone', 'Deleted'],
    ['never was', undefined],
  ] as const)('that %s is not ready', async (_title, phase) => {
    if (phase) await record(ports, 'mgmt', { phase });
    const workload = await record(ports, 'dev', { management: 'mgmt' });
    await expect(managementOf(ports, workload)).rejects.toMatchObject({ code: 'ManagementClusterNotReady' });
  });

  test('that is a workload cluster is none', async () => {
    await record(ports, 'app', { management: 'mgmt' });
    const workload = await record(ports, 'dev', { management: 'app' });
    await expect(managementOf(ports, workload)).rejects.toMatchObject({ code: 'ManagementClusterNotReady' });
  });
});

describe('a failure', () => {
  test('names its causes, outermost first, and not without end', () => {
    let error = new Error('the innermost');
    for (let depth = 0; depth < 12; depth += 1) error = new Error(`around ${depth}`, { cause: error });
    const { causes } = toFailure(unforeseen('LaunchServers', error));
    expect(causes?.[0]).toBe('Error: around 11');
    expect(causes).toHaveLength(8);
  });

  test('may be caused by what is no error', () => {
    expect(toFailure(unforeseen('LaunchServers', 'a text'))).toMatchObject({
      code: 'InternalError',
      message: expect.stringContaining('a text'),
      causes: ['a text'],
    });
  });
});
