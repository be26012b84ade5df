import fc from 'fast-check';
import { expect, test } from 'vitest';
import { renderClusterClass } from '../../core/capi/render-cluster-class.ts';
import { at, listAt, textAt } from '../../core/json-fields.ts';
import { managementNodes, renderManagementUserData } from '../../core/management/k3s-user-data.ts';
import { clusterSpecs } from '../core/capi/spec-arbitrary.ts';
import { sampleSpecs } from './generated-specs.ts';
import { wantedCluster } from './planned-cluster.ts';
import { simulatedObjects } from './simulated-topology.ts';
import { filesOf, unknownFlags } from './user-data-problems.ts';

const clusterClass = renderClusterClass();

test('k3s knows every key that a workload cluster of any spec gives it', () => {
  for (const spec of sampleSpecs({ drawn: 50 })) {
    for (const object of simulatedObjects(wantedCluster(spec, clusterClass))) {
      const role = object.kind === 'KThreesControlPlane' ? 'server' : 'agent';
      const config = at(
        object,
        'spec',
        ...(role === 'server' ? ['kthreesConfigSpec'] : ['template', 'spec']),
      );
      const files = listAt(config, 'files').map((file): [string, string] => [
        textAt(file, 'path') ?? '',
        textAt(file, 'content') ?? '',
      ]);
      expect(unknownFlags(role, new Map(files))).toEqual([]);
    }
  }
});

test('k3s knows every key that a management node of any spec gives it', () => {
  fc.assert(
    fc.property(clusterSpecs, (spec) => {
      const { count } = spec.spec.nodes.controlPlane;
      const nodes = managementNodes({
        name: spec.metadata.name,
        uid: '3f2a9c1e-5d4b-4c8a-9e7f-0123456789ab',
        region: spec.spec.target.region,
        spec: {
          ...spec,
          spec: {
            ...spec.spec,
            nodes: { ...spec.spec.nodes, workers: { count: 1, instanceType: 'm5a.large' } },
          },
        },
        serverAddresses: Array.from({ length: count }, (_, index) => `10.0.0.${index}`),
      });
      for (const node of nodes) {
        expect(unknownFlags(node.role, filesOf(renderManagementUserData(node)))).toEqual([]);
      }
    }),
    { numRuns: 15 },
  );
});
