import { afterEach, describe, expect, test } from 'vitest';
import { at, textAt } from '../../local/controllers/fields.ts';
import {
  applyCluster,
  clusterKind,
  install,
  isReady,
  read,
  startTestbed,
  type Testbed,
  until,
} from './controllers-fixture.ts';

let testbed: Testbed;
afterEach(() => testbed.stop());

describe('a Cluster', () => {
  test('becomes ready and is removed without a trace', async () => {
    testbed = startTestbed();
    const { store } = testbed;
    await install(store);
    await applyCluster(store, 'demo');
    await until(() => isReady(store, 'demo'));
    expect(testbed.logged).toEqual([]);
    const cluster = read(store, clusterKind, 'demo');
    expect(cluster).toMatchObject({});
    await store.remove({ ...clusterKind, namespace: 'default', name: 'demo' });
    await until(() => read(store, clusterKind, 'demo') === undefined);
    expect([...testbed.cloud.keys()]).toEqual([]);
    expect(at(cluster, 'status', 'phase')).toBe('Provisioned');
    expect(textAt(cluster, 'spec', 'infrastructureRef', 'name')).toMatch(/^demo-/);
  });
});
