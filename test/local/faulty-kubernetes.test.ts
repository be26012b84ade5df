import { expect, test } from 'vitest';
import type { Kubernetes } from '../../core/ports.ts';
import { Disk } from '../../local/disk.ts';
import { Faults, parseFault } from '../../local/faults.ts';
import { FaultyKubernetesAccess } from '../../local/faulty-kubernetes.ts';

const node = { apiVersion: 'v1', kind: 'Node', name: 'one' };
const object = { apiVersion: 'v1', kind: 'Node', metadata: { name: 'one' } };
const answering: Kubernetes = {
  apply: async (applied) => applied,
  read: async () => object,
  list: async () => [object],
  remove: async () => undefined,
  allows: async () => true,
};
const question = {
  serviceAccount: { namespace: 'default', name: 'one' },
  verb: 'list',
  group: '',
  resource: 'nodes',
};

function connect(...faults: string[]): Kubernetes {
  const asked = new Faults(Disk.inMemory(), faults.map(parseFault));
  return new FaultyKubernetesAccess({ connect: () => answering }, asked).connect('');
}

test('without the fault every call gets through', async () => {
  const kubernetes = connect('boot:slow');
  expect(await kubernetes.apply(object)).toBe(object);
  expect(await kubernetes.read(node)).toBe(object);
  expect(await kubernetes.list(node)).toEqual([object]);
  await kubernetes.remove(node);
  expect(await kubernetes.allows(question)).toBe(true);
});

test('kubernetes:unreachable makes so many calls fail, whichever they are', async () => {
  const kubernetes = connect('kubernetes:unreachable:5');
  const unreachable = { code: 'KubernetesUnreachable' };
  await expect(kubernetes.apply(object)).rejects.toMatchObject(unreachable);
  await expect(kubernetes.read(node)).rejects.toMatchObject(unreachable);
  await expect(kubernetes.list(node)).rejects.toMatchObject(unreachable);
  await expect(kubernetes.remove(node)).rejects.toMatchObject(unreachable);
  await expect(kubernetes.allows(question)).rejects.toMatchObject(unreachable);
  expect(await kubernetes.read(node)).toBe(object);
});
