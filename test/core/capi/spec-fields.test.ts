import { describe, expect, test } from 'vitest';
import { checkClusterSpec } from '../../../core/capi/cluster-spec.ts';
import { type FieldSchema, findField, listFields, specJsonSchema } from '../../../core/capi/spec-fields.ts';
import { maxClusterNameLength } from '../../../core/capi/spec-syntax.ts';
import { workerTopology } from '../../../core/capi/translate-cluster.ts';
import { operationId } from '../../../core/fleet.ts';
import { workload } from './spec-samples.ts';

const fields = listFields().map(({ path, field }): [string, FieldSchema] => [path, field]);

describe('the JSON Schema', () => {
  test('is of 2020-12, has an id, and refuses unknown fields at every level', () => {
    const schema = specJsonSchema();
    expect(schema).toMatchObject({
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      $id: 'https://petra.sh/schemas/v1alpha1/cluster.json',
      title: 'Cluster',
      required: ['apiVersion', 'kind', 'metadata', 'spec'],
    });
    const text = JSON.stringify(schema);
    expect(text.match(/"type":"object"/g)?.length).toBe(text.match(/"additionalProperties":false/g)?.length);
    expect(text).not.toContain(String(Number.MAX_SAFE_INTEGER));
    expect(specJsonSchema()).toEqual(schema);
  });

  test('asks only for what has no default', () => {
    expect(findField(['spec'])?.required).toEqual(['kubernetes', 'target', 'nodes']);
    expect(findField(['spec', 'target'])?.required).toEqual(['region']);
    expect(findField(['spec', 'nodes', 'workers'])?.required).toEqual(['count']);
  });

  test('knows the rules of a network', () => {
    expect(findField(['spec', 'target', 'network'])).toMatchObject({
      dependentRequired: { vpcId: ['subnetIds'], subnetIds: ['vpcId'] },
      not: { required: ['vpcId', 'availabilityZones'] },
    });
    expect(findField(['spec', 'target', 'network', 'subnetIds'])).toMatchObject({ uniqueItems: true });
  });

  test.each([['', findField([]) ?? {}] satisfies [string, FieldSchema], ...fields])(
    'describes %j in a sentence, with examples that are valid',
    (path, field) => {
      expect(field.description).toMatch(/^[A-Z].*\.$/);
      expect(field.examples?.length).toBeGreaterThan(0);
      for (const example of field.examples ?? []) {
        const value = path === '' ? example : withField(workload(), path.split('.'), example);
        expect(() => checkClusterSpec(value, 'any')).not.toThrow();
      }
    },
  );
});

describe('the longest name', () => {
  const name = 'x'.repeat(maxClusterNameLength);

  test('leaves room for everything that Cluster API adds to that of a worker machine', () => {
    expect(`${name}-${workerTopology}-aaaaa-bbbbb-ccccc`).toHaveLength(63);
  });

  test('leaves room for the id of any operation in the name of an execution', () => {
    const id = operationId('destroy', name, '0a1b2c3d-4e5f-4a6b-8c7d-0e1f2a3b4c5d', 9_999_999_999);
    expect(id.length).toBeLessThanOrEqual(80);
  });
});

/** A spec with an example in place of a field, and what the rules between fields want beside it. */
function withField(outer: object, [key = '', ...rest]: readonly string[], value: unknown): object {
  if (rest.length > 0) {
    const inner: unknown = Reflect.get(outer, key);
    const present = typeof inner === 'object' && inner !== null ? inner : (companions[key] ?? {});
    return { ...outer, [key]: withField(present, rest, value) };
  }
  const beside = key === 'availabilityZones' ? {} : outer;
  return { ...beside, [key]: value };
}

const companions: Readonly<Record<string, object>> = {
  network: { vpcId: 'vpc-0a1b2c3d', subnetIds: ['subnet-0a1b2c3d'] },
  management: {
    capiVersion: 'v1.9.5',
    capaVersion: 'v2.7.2',
    cabpK3sVersion: 'v0.3.1',
    cacpK3sVersion: 'v0.3.1',
    certManagerVersion: 'v1.17.1',
  },
};
