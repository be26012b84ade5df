import { expect, test } from 'vitest';
import { deploymentStatusOf } from './deployment-status.ts';

const deployment = {
  metadata: { namespace: 'a', name: 'b', uid: 'c', generation: 2 },
  spec: { replicas: 1, template: { spec: { containers: [] } } },
};
const earlier = new Date('2026-01-01T00:00:00.123Z');
const later = new Date('2026-01-01T00:00:10Z');

test('a Deployment is available when its Pod is ready', () => {
  const waiting = deploymentStatusOf(deployment, { isReady: false }, earlier);
  expect(waiting).toMatchObject({ observedGeneration: 2, availableReplicas: 0, unavailableReplicas: 1 });
  expect(waiting?.conditions[0]).toMatchObject({
    type: 'Available',
    status: 'False',
    lastTransitionTime: '2026-01-01T00:00:00Z',
  });
  const ready = deploymentStatusOf({ ...deployment, status: waiting ?? {} }, { isReady: true }, later);
  expect(ready).toMatchObject({ availableReplicas: 1, unavailableReplicas: 0 });
  expect(ready?.conditions).toMatchObject([
    { type: 'Available', status: 'True', lastTransitionTime: '2026-01-01T00:00:10Z' },
    // It progressed before, and still does.
    { type: 'Progressing', status: 'True', lastTransitionTime: '2026-01-01T00:00:00Z' },
  ]);
});

test('what is said already is not said again, unless the Deployment changes', () => {
  const status = deploymentStatusOf(deployment, { isReady: true }, earlier) ?? {};
  const said = { ...deployment, status };
  expect(deploymentStatusOf(said, { isReady: true }, later)).toBeUndefined();
  const changed = { ...said, metadata: { ...said.metadata, generation: 3 } };
  expect(deploymentStatusOf(changed, { isReady: true }, later)).toMatchObject({ observedGeneration: 3 });
});

test('a Deployment that wants no Pods is available without any', () => {
  expect(deploymentStatusOf(deployment, undefined, earlier)).toMatchObject({
    replicas: 0,
    conditions: [{ type: 'Available', status: 'True' }, { type: 'Progressing' }],
  });
});
