import { beforeEach, describe, expect, test } from 'vitest';
import type { KubernetesObject } from '../../core/ports.ts';
import { Disk } from '../../local/disk.ts';
import { subjectAccess } from '../../local/kubernetes/access-review.ts';
import { ObjectStore } from '../../local/kubernetes/object-store.ts';

const apiVersion = 'rbac.authorization.k8s.io/v1';
const role = (name: string, more: object, labels: Record<string, string> = {}): KubernetesObject => ({
  apiVersion,
  kind: 'ClusterRole',
  metadata: { name, labels },
  ...more,
});
const binding = (name: string, to: string, account: string): KubernetesObject => ({
  apiVersion,
  kind: 'ClusterRoleBinding',
  metadata: { name },
  roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: to },
  subjects: [{ kind: 'ServiceAccount', name: account, namespace: 'one' }],
});
const listing = (...resources: string[]) => ({ rules: [{ apiGroups: ['a.b'], resources, verbs: ['list'] }] });

let store: ObjectStore;
beforeEach(async () => {
  store = ObjectStore.open(Disk.inMemory(), 'cluster');
  for (const object of [
    role('own', listing('widgets')),
    binding('own', 'own', 'plain'),
    role('all', { rules: [{ apiGroups: ['*'], resources: ['*'], verbs: ['*'] }] }),
    binding('all', 'all', 'mighty'),
    role('gathered', { aggregationRule: { clusterRoleSelectors: [{ matchLabels: { part: 'yes' } }] } }),
    binding('gathered', 'gathered', 'gatherer'),
    role('part', listing('gears'), { part: 'yes' }),
    binding('dangling', 'absent', 'lost'),
  ]) {
    await store.create(object);
  }
});

const may = (account: string, resource: string, verb = 'list', group = 'a.b') =>
  subjectAccess(store, {
    user: `system:serviceaccount:one:${account}`,
    resourceAttributes: { verb, group, resource },
  }).allowed;

describe('a review of access', () => {
  test('follows bindings to the rules of a role', () => {
    expect(may('plain', 'widgets')).toBe(true);
    expect(may('plain', 'gears')).toBe(false);
    expect(may('plain', 'widgets', 'delete')).toBe(false);
    expect(may('plain', 'widgets', 'list', 'c.d')).toBe(false);
    expect(may('mighty', 'anything', 'delete', '')).toBe(true);
  });

  test('follows roles that gather the rules of others', () => {
    expect(may('gatherer', 'gears')).toBe(true);
    expect(may('gatherer', 'widgets')).toBe(false);
  });

  test('allows nothing to who has no role, or is no ServiceAccount', () => {
    expect(may('lost', 'widgets')).toBe(false);
    expect(may('nobody', 'widgets')).toBe(false);
    expect(subjectAccess(store, { user: 'anna', resourceAttributes: {} }).allowed).toBe(false);
    expect(subjectAccess(store, undefined).allowed).toBe(false);
  });
});
