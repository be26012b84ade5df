import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import {
  checkClusterSpec,
  diffClusterSpecs,
  hashClusterSpec,
  parseClusterSpec,
} from '../../../core/capi/cluster-spec.ts';
import { formatProblems } from '../../../core/capi/spec-problem.ts';
import { PetraError } from '../../../core/errors.ts';
import { clusterSpecs, damaged } from './spec-arbitrary.ts';
import { problemsOf, workload } from './spec-samples.ts';

const file = 'x.yaml';

describe('any valid spec', () => {
  test('is the same after being written as YAML or JSON and read again', () => {
    fc.assert(
      fc.property(clusterSpecs, fc.boolean(), (spec, asJson) => {
        const text = asJson ? JSON.stringify(spec) : stringify(spec, { aliasDuplicateObjects: false });
        const expectation = spec.spec.management ? 'management' : 'workload';
        const read = parseClusterSpec(text, { file, expect: expectation });
        expect(read).toEqual(spec);
        expect(checkClusterSpec(spec, expectation)).toEqual(spec);
        expect(hashClusterSpec(read)).toBe(hashClusterSpec(spec));
      }),
    );
  });

  test('has a hash that ignores the order of keys and nothing but protection', () => {
    fc.assert(
      fc.property(clusterSpecs, clusterSpecs, fc.boolean(), (a, b, deletionProtection) => {
        const shuffled = {
          spec: reversed(a.spec),
          metadata: a.metadata,
          kind: a.kind,
          apiVersion: a.apiVersion,
        };
        expect(hashClusterSpec(checkClusterSpec(shuffled, 'any'))).toBe(hashClusterSpec(a));
        expect(hashClusterSpec({ ...a, spec: { ...a.spec, deletionProtection } })).toBe(hashClusterSpec(a));
        expect(diffClusterSpecs(a, b).length === 0).toBe(hashClusterSpec(a) === hashClusterSpec(b));
      }),
    );
  });
});

describe('any input', () => {
  test('as a damaged file gives a spec or InvalidSpec with printable problems, in order', () => {
    fc.assert(
      fc.property(damaged(clusterSpecs.map((spec) => stringify(spec))), (text) => expectSoundProblems(text)),
      { numRuns: 400 },
    );
  });

  test('as random bytes or text gives a spec or InvalidSpec', () => {
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array(), fc.string({ unit: 'binary' })), (source) =>
        expectSoundProblems(source),
      ),
      { numRuns: 200 },
    );
  });

  test('as JSON gives a spec or InvalidSpec', () => {
    const paths = [
      'metadata',
      'spec',
      'spec.target',
      'spec.target.network',
      'spec.nodes.workers',
      'spec.addons',
    ];
    fc.assert(
      fc.property(
        fc.constantFrom(...paths),
        fc.oneof(fc.jsonValue(), fc.anything({ withNullPrototype: true })),
        fc.constantFrom('any', 'workload', 'management'),
        (path, value, expectation) => {
          try {
            checkClusterSpec(withValue(workload(), path.split('.'), value), expectation);
          } catch (error) {
            expect(error).toBeInstanceOf(PetraError);
            expect(error).toMatchObject({ code: 'InvalidSpec' });
          }
        },
      ),
      { numRuns: 400 },
    );
  });
});

function expectSoundProblems(source: string | Uint8Array): void {
  const problems = problemsOf(source, 'any', file);
  const lines = problems.map(({ line = 0 }) => line);
  expect(lines.filter((line) => line > 0)).toEqual(
    lines.filter((line) => line > 0).toSorted((a, b) => a - b),
  );
  const printed = formatProblems(file, problems);
  expect(printed === '' ? 0 : printed.split('\n').length).toBe(problems.length);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be there
  expect(printed).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/);
}

function reversed(value: object): Record<string, unknown> {
  const entries = Object.entries(value).map(([key, inner]): [string, unknown] => [
    key,
    typeof inner === 'object' && inner !== null && !Array.isArray(inner) ? reversed(inner) : inner,
  ]);
  return Object.fromEntries(entries.toReversed());
}

function withValue(outer: object, [key = '', ...rest]: readonly string[], value: unknown): object {
  const inner: unknown = Reflect.get(outer, key);
  const next =
    rest.length === 0 ? value : withValue(typeof inner === 'object' && inner ? inner : {}, rest, value);
  return { ...outer, [key]: next };
}
