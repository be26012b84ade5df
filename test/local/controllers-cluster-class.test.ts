import { afterEach, expect, test } from 'vitest';
import { renderClusterClass } from '../../core/capi/render-cluster-class.ts';
import { numberAt } from '../../core/json-fields.ts';
import { applyAll, install, startTestbed, type Testbed, until } from './controllers-fixture.ts';

let testbed: Testbed;
afterEach(() => testbed.stop());

const [cluster, ...others] = renderClusterClass();
const clusterClass = others.at(-1);
if (!cluster || !clusterClass) throw new Error('the class is not whole');

test('Cluster API owns the templates of a class once it has looked at it, and at nothing less than all', async () => {
  testbed = startTestbed();
  const { store } = testbed;
  await install(store);
  const { apiVersion, kind, metadata } = clusterClass;
  const read = () => store.get(apiVersion, kind, metadata.namespace, metadata.name);
  const seen = () => numberAt(read(), 'status', 'observedGeneration');
  await until(() => seen() === read()?.metadata.generation);
  for (const template of renderClusterClass().slice(0, -1)) {
    const found = store.get(
      template.apiVersion,
      template.kind,
      template.metadata.namespace,
      template.metadata.name,
    );
    expect(found?.metadata.ownerReferences).toMatchObject([{ kind, name: metadata.name }]);
  }

  const other = { ...metadata, name: 'other' };
  const absent = { apiVersion: cluster.apiVersion, kind: cluster.kind, name: 'absent', namespace: 'default' };
  await applyAll(store, [
    {
      apiVersion,
      kind,
      metadata: other,
      spec: { ...Object(clusterClass.spec), infrastructure: { ref: absent } },
    },
  ]);
  await until(() => testbed.logged.some((line) => line.includes('Could not find external object absent')));
  expect(store.get(apiVersion, kind, 'default', 'other')).not.toHaveProperty('status.observedGeneration');
});
