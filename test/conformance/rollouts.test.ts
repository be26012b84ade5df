import { describe, expect, test } from 'vitest';
import type { KubernetesObject } from '../../core/ports.ts';
import { carriedOut, changesOf, rolloutsOf } from './rollouts.ts';
import { deletedOf } from './topology-plan.ts';

function deployment(spec: object): KubernetesObject {
  return {
    apiVersion: 'cluster.x-k8s.io/v1beta1',
    kind: 'MachineDeployment',
    metadata: { name: 'md-0' },
    spec,
  };
}

function controlPlane(spec: object): KubernetesObject {
  return {
    apiVersion: 'controlplane.cluster.x-k8s.io/v1beta2',
    kind: 'KThreesControlPlane',
    metadata: { name: 'demo' },
    spec,
  };
}

describe('a change', () => {
  test.each([
    [{ replicas: 1 }, { replicas: 2 }, []],
    [
      { template: { spec: { nodeDrainTimeout: '1m' } } },
      { template: { spec: { nodeDrainTimeout: '2m' } } },
      [],
    ],
    [{ template: { spec: { version: 'v1' } } }, { template: { spec: { version: 'v2' } } }, ['workers']],
    [
      { template: { spec: { infrastructureRef: { name: 'a' } } } },
      { template: { spec: { infrastructureRef: { name: 'b' } } } },
      ['workers'],
    ],
  ])('of a MachineDeployment from %j to %j replaces machines of %j', (before, after, replaced) => {
    expect(rolloutsOf([{ before: deployment(before), after: deployment(after) }])).toEqual(replaced);
  });

  test.each([
    [{ replicas: 1 }, { replicas: 3 }, []],
    [{ version: 'v1' }, { version: 'v2' }, ['control plane']],
    [{ kthreesConfigSpec: { files: [] } }, { kthreesConfigSpec: { files: [{}] } }, ['control plane']],
  ])('of a control plane from %j to %j replaces machines of %j', (before, after, replaced) => {
    expect(rolloutsOf([{ before: controlPlane(before), after: controlPlane(after) }])).toEqual(replaced);
  });

  test('is told by the paths that differ, and by what comes and goes', () => {
    expect(
      changesOf({
        created: [controlPlane({})],
        modified: [
          { before: deployment({ a: { b: 1, c: 2 } }), after: deployment({ a: { b: 1, c: 3, d: 4 } }) },
        ],
        deleted: ['MachineDeployment/md-1'],
      }),
    ).toEqual([
      'KThreesControlPlane: created',
      'MachineDeployment: deleted',
      'MachineDeployment: spec.a.c',
      'MachineDeployment: spec.a.d',
    ]);
  });

  test('that was carried out leaves the new objects, and a control plane at rest', () => {
    const live = carriedOut([deployment({ replicas: 1 }), controlPlane({ version: 'v1', replicas: 1 })], {
      created: [],
      modified: [
        {
          before: controlPlane({ version: 'v1', replicas: 1 }),
          after: controlPlane({ version: 'v2', replicas: 1 }),
        },
      ],
      deleted: ['MachineDeployment/md-0'],
    });
    expect(live).toEqual([
      expect.objectContaining({
        spec: { version: 'v2', replicas: 1 },
        status: expect.objectContaining({ version: 'v2', updatedReplicas: 1 }),
      }),
    ]);
  });
});

test('what clusterctl would delete is read from its table, coloured or not', () => {
  const row = 'default    AWSMachineTemplate  demo-abcde';
  expect(
    deletedOf(`  ${row}  \u001b[91mdeleted\u001b[0m  \n  ${row}2  created\nNo changes were deleted at all\n`),
  ).toEqual(['AWSMachineTemplate/demo-abcde']);
});
