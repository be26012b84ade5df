import { describe, expect, test } from 'vitest';
import type { KubernetesObject } from '../../core/ports.ts';
import type { ObservedEvent } from './object-watch.ts';
import { mergeRuns, patternOf } from './trace.ts';
import { compareRun, fits } from './trace-compare.ts';
import { joinTraces } from './trace-join.ts';
import { reduceEvents } from './trace-run.ts';

const versions = { kubernetes: 'v1.35.3' };

type State = readonly [ObservedEvent['type'], KubernetesObject];

/** States of objects of the cluster `dev`, in the order in which they were stored. */
function events(...states: readonly State[]): ObservedEvent[] {
  return states.map(([type, object], i) => ({
    type,
    object: { ...object, metadata: { ...object.metadata, resourceVersion: String(i + 1) } },
  }));
}

function machine(name: string, status: object = {}): KubernetesObject {
  return {
    apiVersion: 'cluster.x-k8s.io/v1beta1',
    kind: 'Machine',
    metadata: { name, uid: name, labels: { 'cluster.x-k8s.io/cluster-name': 'dev' } },
    spec: { infrastructureRef: { kind: 'AWSMachine', name } },
    status,
  };
}

const instance = (name: string): KubernetesObject => ({ ...machine(name), kind: 'AWSMachine', spec: {} });
const withUid = (object: KubernetesObject, uid: string): KubernetesObject => ({
  ...object,
  metadata: { ...object.metadata, uid },
});

describe('a recording', () => {
  test('tells what each object said, once after the other, without names that chance decided', () => {
    const run = reduceEvents(
      events(
        ['ADDED', machine('dev-md-0-bcdfg', { phase: 'Pending' })],
        ['MODIFIED', machine('dev-md-0-bcdfg', { phase: 'Pending', replicas: 1 })],
        ['MODIFIED', machine('dev-md-0-bcdfg', { phase: 'Running', nodeRef: { kind: 'Node', name: 'n' } })],
        ['DELETED', machine('dev-md-0-bcdfg', { phase: 'Running' })],
      ),
      'dev',
    );
    const [life] = run.get('Machine of a worker') ?? [];
    expect(Object.fromEntries(life?.facets ?? [])).toMatchObject({
      life: ['appears', 'gone'],
      name: ['<machine>'],
      'status.phase': ['Pending', 'Running'],
      'status.replicas': ['1', 'none'],
      'status.nodeRef': ['Node'],
    });
  });

  test('calls machines by their fate where they have different ones', () => {
    const run = reduceEvents(
      events(
        ['PRESENT', machine('dev-a')],
        ['ADDED', machine('dev-b')],
        ['PRESENT', machine('dev-c')],
        ['DELETED', machine('dev-c')],
      ),
      'dev',
    );
    expect([...run.keys()]).toEqual([
      'Machine of a leaving worker',
      'Machine of a new worker',
      'Machine of a staying worker',
      'Petra',
    ]);
  });

  test('leaves out objects of other clusters, and what a Secret holds', () => {
    const secret = {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'dev-ca', uid: 's', labels: { 'cluster.x-k8s.io/cluster-name': 'dev' } },
      type: 'cluster.x-k8s.io/secret',
      data: { 'tls.key': 'c2VjcmV0' },
    };
    const other = { ...secret, metadata: { name: 'other-ca', uid: 'o' } };
    const run = reduceEvents(events(['ADDED', secret], ['ADDED', other]), 'dev');
    expect([...run.keys()]).toEqual(['Petra', 'Secret ca']);
    expect(JSON.stringify([...(run.get('Secret ca')?.[0]?.facets ?? [])])).not.toContain('c2VjcmV0');
  });
});

describe('a trace', () => {
  test('has what always came, and in brackets what sometimes came between', () => {
    expect(
      patternOf([
        ['a', 'b', 'd'],
        ['a', 'd'],
        ['a', 'c', 'd'],
      ]),
    ).toBe('a → (b) → (c) → d');
  });

  test.each([
    { history: ['a', 'd'], fit: true },
    { history: ['a', 'c', 'd'], fit: true },
    { history: ['d', 'a'], fit: false },
    { history: ['a'], fit: false },
    { history: ['a', 'x', 'd'], fit: false },
  ])('says of $history that it fits: $fit', ({ history, fit }) => {
    expect(fits(history, 'a → (b) → (c) → d')).toBe(fit);
  });

  test('keeps an order only where it always held, and not across machines of a kind', () => {
    const first = events(
      ['ADDED', withUid(instance('dev-a'), 'ia')],
      ['ADDED', machine('dev-a')],
      ['ADDED', withUid(instance('dev-b'), 'ib')],
      ['ADDED', machine('dev-b')],
    );
    const trace = mergeRuns([reduceEvents(first, 'dev')], versions);
    expect(trace.order).toEqual({
      'Machine of a worker: appears': ['AWSMachine of a worker: appears'],
    });
    const turned = events(['ADDED', machine('dev-a')], ['ADDED', withUid(instance('dev-a'), 'ia')]);
    const both = mergeRuns([reduceEvents(first, 'dev'), reduceEvents(turned, 'dev')], versions);
    expect(both.order).toEqual({});
    expect(both.objects['Machine of a worker']?.count).toBe('1 or 2');
    expect(compareRun(trace, reduceEvents(turned, 'dev'))).toContainEqual({
      object: 'order',
      facet: 'Machine of a worker: appears',
      expected: 'after "AWSMachine of a worker: appears"',
      found: 'before it',
    });
  });

  test('has in brackets, and in no order, what a later recording lacks', () => {
    const recorded = (...states: readonly State[]) =>
      mergeRuns([reduceEvents(events(...states), 'dev')], versions);
    const one = recorded(
      ['ADDED', machine('dev-a', { phase: 'Pending' })],
      ['ADDED', withUid(instance('dev-a'), 'ia')],
      ['MODIFIED', machine('dev-a', { phase: 'Provisioned' })],
      ['MODIFIED', machine('dev-a', { phase: 'Running' })],
    );
    const other = recorded(
      ['ADDED', machine('dev-a', { phase: 'Pending' })],
      ['MODIFIED', machine('dev-a', { phase: 'Running' })],
      ['ADDED', withUid(instance('dev-a'), 'ia')],
    );
    const both = joinTraces(one, other);
    expect(both.recordings).toBe(2);
    expect(both.objects['Machine of a worker']?.['status.phase']).toBe('Pending → (Provisioned) → Running');
    const atFirst = ['Machine of a worker: appears', 'Machine of a worker: is Pending'];
    expect(both.order).toEqual({
      'AWSMachine of a worker: appears': atFirst,
      'Machine of a worker: is Running': atFirst,
    });
    expect(joinTraces(both, one)).toEqual({ ...both, recordings: 3 });
    expect(joinTraces(one, one)).toEqual({ ...one, recordings: 2 });
  });

  test('finds what is missing, and what was never there before', () => {
    const trace = mergeRuns(
      [reduceEvents(events(['ADDED', machine('dev-a', { phase: 'Pending' })]), 'dev')],
      versions,
    );
    const run = reduceEvents(events(['ADDED', machine('dev-a', { phase: 'Failed', ready: true })]), 'dev');
    expect(compareRun(trace, run)).toEqual([
      { object: 'Machine of a worker', facet: 'status.phase', expected: 'Pending', found: 'Failed' },
      { object: 'Machine of a worker', facet: 'status.ready', expected: 'nothing', found: 'true' },
    ]);
    expect(compareRun(trace, reduceEvents([], 'dev'))).toContainEqual({
      object: 'Machine of a worker',
      facet: 'count',
      expected: '1',
      found: 'nothing',
    });
  });
});
