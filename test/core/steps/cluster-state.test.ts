import { describe, expect, test } from 'vitest';
import type { Kubernetes, KubernetesObject } from '../../../core/ports.ts';
import { complaintsOf, stateOf } from '../../../core/steps/cluster-state.ts';

const now = new Date('2026-11-23T12:00:00.000Z');

/** An API that has these objects, whatever namespace and labels are asked for. */
function having(objects: readonly KubernetesObject[]): Kubernetes {
  return {
    apply: async (object) => object,
    read: async ({ kind, name }) => objects.find((one) => one.kind === kind && one.metadata.name === name),
    list: async ({ kind }) => objects.filter((one) => one.kind === kind),
    remove: async () => {},
    allows: async () => true,
  };
}

const object = (kind: string, fields: object, metadata: object = {}): KubernetesObject => ({
  apiVersion: 'v1',
  kind,
  metadata: { name: 'dev', ...metadata },
  ...fields,
});

const reconciled = { type: 'TopologyReconciled', status: 'True' };
const topology = {
  controlPlane: { replicas: 1 },
  workers: { machineDeployments: [{ replicas: 2 }, {}] },
};

/** A cluster with all it takes to be ready. */
const cluster = {
  spec: { topology, controlPlaneEndpoint: { host: 'lb.example.com' } },
  status: { phase: 'Provisioned', controlPlaneReady: true, observedGeneration: 3, conditions: [reconciled] },
};
const controlPlane = object('KThreesControlPlane', { spec: { replicas: 1 }, status: { readyReplicas: 1 } });
const workers = object('MachineDeployment', { spec: { replicas: 3 }, status: { readyReplicas: 3 } });

async function stateWith(
  change: { readonly spec?: object; readonly status?: object } = {},
  others: readonly KubernetesObject[] = [controlPlane, workers],
  metadata: object = { generation: 3 },
) {
  const own = object(
    'Cluster',
    { spec: { ...cluster.spec, ...change.spec }, status: { ...cluster.status, ...change.status } },
    metadata,
  );
  return stateOf(having(others), own, now);
}

describe('a workload cluster', () => {
  test('is ready with control plane, topology and every worker', async () => {
    expect(await stateWith()).toEqual({
      ready: true,
      summary: 'Provisioned: control plane 1/1, workers 3/3',
      causes: [],
      observed: {
        phase: 'Provisioned',
        controlPlaneReplicas: 1,
        controlPlaneReadyReplicas: 1,
        workerReplicas: 3,
        workerReadyReplicas: 3,
        endpoint: 'lb.example.com',
        observedAt: '2026-11-23T12:00:00.000Z',
      },
    });
  });

  test('is ready as a newer Cluster API tells it', async () => {
    const conditions = [reconciled, { type: 'ControlPlaneAvailable', status: 'True' }];
    expect(await stateWith({ status: { controlPlaneReady: undefined, conditions } })).toMatchObject({
      ready: true,
    });
  });

  test('is ready as an API without generations tells it', async () => {
    expect(await stateWith({}, [controlPlane, workers], {})).toMatchObject({ ready: true });
  });

  test('is ready without workers when none are wanted', async () => {
    const none = object('MachineDeployment', { spec: { replicas: 0 } });
    const spec = { topology: { ...topology, workers: { machineDeployments: [{ replicas: 0 }] } } };
    expect(await stateWith({ spec }, [controlPlane, none])).toMatchObject({ ready: true });
  });

  test.each([
    ['is not Provisioned', { status: { phase: 'Provisioning' } }],
    ['has no control plane yet', { status: { controlPlaneReady: false } }],
    ['has no topology yet', { status: { conditions: [] } }],
    ['was changed since it was looked at', { status: { observedGeneration: 2 } }],
    ['was never looked at', { status: { observedGeneration: undefined } }],
  ])('is not ready while it %s', async (_title, change) => {
    expect(await stateWith(change)).toMatchObject({ ready: false });
  });

  test('is not ready while a worker is missing, or its deployment is', async () => {
    const short = object('MachineDeployment', { spec: { replicas: 3 }, status: { readyReplicas: 2 } });
    expect(await stateWith({}, [controlPlane, short])).toMatchObject({ ready: false });
    expect(await stateWith({}, [controlPlane])).toMatchObject({ ready: false });
  });

  test('is not ready while a server is missing, which Cluster API does not wait for', async () => {
    const short = object('KThreesControlPlane', { spec: { replicas: 3 }, status: { readyReplicas: 1 } });
    const spec = { topology: { ...topology, controlPlane: { replicas: 3 } } };
    expect(await stateWith({ spec }, [short, workers])).toMatchObject({ ready: false });
    const whole = object('KThreesControlPlane', { spec: { replicas: 3 }, status: { readyReplicas: 3 } });
    expect(await stateWith({ spec }, [whole, workers])).toMatchObject({ ready: true });
  });

  test('is not ready while its parts have not heard of a change', async () => {
    const few = { ...topology, workers: { machineDeployments: [{ replicas: 1 }] } };
    expect(await stateWith({ spec: { topology: few } })).toMatchObject({ ready: false });
    const single = object('KThreesControlPlane', { spec: { replicas: 3 }, status: { readyReplicas: 3 } });
    expect(await stateWith({}, [single, workers])).toMatchObject({ ready: false });
  });

  test('is not ready while it is being deleted', async () => {
    const deleting = { generation: 3, deletionTimestamp: '2026-11-23T11:00:00Z' };
    expect(await stateWith({}, [controlPlane, workers], deleting)).toMatchObject({ ready: false });
  });

  test('that has just been made is Pending, with the counts it asks for', async () => {
    const state = await stateOf(having([]), object('Cluster', { spec: { topology } }), now);
    expect(state).toMatchObject({
      ready: false,
      summary: 'Pending: control plane 0/1, workers 0/3',
      observed: { phase: 'Pending' },
    });
  });

  test('without a topology has no counts to ask for', async () => {
    const state = await stateOf(having([]), object('Cluster', {}), now);
    expect(state).toMatchObject({ summary: 'Pending: control plane 0/0, workers 0/0' });
  });

  test.each([
    ['failureMessage', { failureMessage: 'no such AMI' }],
    ['failureReason', { failureReason: 'no such AMI' }],
    ['failureMessage of a newer Cluster API', { deprecated: { v1beta1: { failureMessage: 'no such AMI' } } }],
  ])('has failed for good when it has a %s', async (_title, status) => {
    expect(await stateWith({ status })).toMatchObject({ failure: 'no such AMI' });
  });

  describe('that refers to a network and a control plane', () => {
    const spec = {
      infrastructureRef: { kind: 'AWSCluster', name: 'dev-n' },
      controlPlaneRef: { kind: 'KThreesControlPlane', name: 'dev-c' },
    };
    const network = object('AWSCluster', {}, { name: 'dev-n' });
    const servers = object('KThreesControlPlane', {}, { name: 'dev-c' });
    const other = object('AWSCluster', {}, { name: 'dev-o' });

    test('has not failed while both exist', async () => {
      expect(await stateWith({ spec }, [network, other, servers])).not.toHaveProperty('failure');
    });

    test.each([
      [[other, servers], 'its Cluster refers to AWSCluster dev-n, which does not exist'],
      [[network], 'its Cluster refers to KThreesControlPlane dev-c, which does not exist'],
      [[], 'its Cluster refers to AWSCluster dev-n and KThreesControlPlane dev-c, which do not exist'],
    ])('has failed for good when one is missing', async (parts, failure) => {
      expect(await stateWith({ spec }, parts)).toMatchObject({ ready: false, failure });
    });

    test('may lose them while it is being deleted', async () => {
      const deleting = { deletionTimestamp: '2026-11-23T11:00:00Z' };
      expect(await stateWith({ spec }, [], deleting)).not.toHaveProperty('failure');
    });
  });

  test('shows the root cause first, and stores five', async () => {
    const bad = (kind: string) =>
      object(kind, {
        status: { conditions: [{ type: 'Ready', status: 'False', message: `${kind} is bad` }] },
      });
    const others = ['KThreesControlPlane', 'AWSMachine', 'AWSCluster', 'MachineDeployment', 'AWSMachine'].map(
      bad,
    );
    const { causes, observed } = await stateWith(
      { status: { conditions: [{ ...reconciled, status: 'False', message: 'not yet' }] } },
      others,
    );
    expect(causes.map((cause) => cause.split(' ')[0])).toEqual([
      'AWSCluster',
      'AWSMachine',
      'AWSMachine',
      'KThreesControlPlane',
      'MachineDeployment',
      'Cluster',
    ]);
    expect(observed.messages).toEqual(causes.slice(0, 5));
  });
});

describe('what an object complains of', () => {
  const complaints = (...conditions: object[]) =>
    complaintsOf(object('Node', { status: { conditions } })).map(
      ({ condition, message }) => `${condition}: ${message}`,
    );

  test.each([
    [
      'is false, with its reason',
      { type: 'InfrastructureReady', status: 'False', reason: 'Vpc', message: 'no VPC' },
      ['InfrastructureReady: Vpc: no VPC'],
    ],
    [
      'is false, without a reason',
      { type: 'InfrastructureReady', status: 'False', message: 'no VPC' },
      ['InfrastructureReady: no VPC'],
    ],
    ['is false and says nothing', { type: 'InfrastructureReady', status: 'False' }, []],
    ['is true', { type: 'InfrastructureReady', status: 'True', message: 'all is well' }, []],
    ['is a pressure that is not there', { type: 'DiskPressure', status: 'False', message: 'plenty' }, []],
    ['is a pressure', { type: 'DiskPressure', status: 'True', message: 'full' }, ['DiskPressure: full']],
    ['tells only what goes on', { type: 'ScalingUp', status: 'False', message: 'not scaling' }, []],
    ['is not known', { type: 'InfrastructureReady', status: 'Unknown', message: 'who knows' }, []],
    [
      'is a Node that is not heard of',
      { type: 'Ready', status: 'Unknown', message: 'silent' },
      ['Ready: silent'],
    ],
    ['has no shape', 'broken', []],
  ])('when a condition %s', (_title, condition, expected) => {
    expect(complaints(Object(condition))).toEqual(expected);
  });

  test('leaves out a Ready that only repeats another', () => {
    expect(
      complaints(
        { type: 'Ready', status: 'False', message: 'no VPC' },
        { type: 'VpcReady', status: 'False', message: 'no VPC' },
      ),
    ).toEqual(['VpcReady: no VPC']);
  });
});
