import { describe, expect, it } from 'vitest';
import type { KubernetesObject } from '../../core/ports.ts';
import { lastBecameTrue } from './fleet-readiness.ts';

const cluster = (name: string, ...conditions: unknown[]): KubernetesObject => ({
  apiVersion: 'cluster.x-k8s.io/v1beta1',
  kind: 'Cluster',
  metadata: { name },
  status: { conditions },
});

const machine = (name: string, of: string, ...conditions: unknown[]): KubernetesObject => ({
  ...cluster(name, ...conditions),
  kind: 'Machine',
  metadata: { name, labels: { 'cluster.x-k8s.io/cluster-name': of } },
});

const since = (status: string, lastTransitionTime: string) => ({ type: 'Ready', status, lastTransitionTime });

describe('since when clusters are ready', () => {
  it('is when the last condition of any of its objects became true', () => {
    const found = lastBecameTrue([
      cluster('one', since('True', '2026-11-26T00:00:05Z')),
      machine('one-a', 'one', since('True', '2026-11-26T00:00:09Z')),
      machine('one-b', 'one', since('True', '2026-11-26T00:00:07Z')),
      cluster('two', since('True', '2026-11-26T00:00:01Z'), since('False', '2026-11-26T00:00:30Z')),
    ]);
    expect([...found]).toEqual([
      ['one', Date.parse('2026-11-26T00:00:09Z')],
      ['two', Date.parse('2026-11-26T00:00:01Z')],
    ]);
  });

  it('is not known of an object that is of no cluster', () => {
    const { labels: _, ...metadata } = machine('stray', 'x').metadata;
    expect(
      lastBecameTrue([{ ...machine('stray', 'x', since('True', '2026-11-26T00:00:09Z')), metadata }]).size,
    ).toBe(0);
  });
});
