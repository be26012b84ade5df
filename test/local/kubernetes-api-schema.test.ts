import { beforeEach, describe, expect, test } from 'vitest';
import type { KubernetesObject } from '../../core/ports.ts';
import { Disk } from '../../local/disk.ts';
import { typingProblems } from '../../local/kubernetes/api-typing.ts';
import { ObjectStore } from '../../local/kubernetes/object-store.ts';

const spec = {
  type: 'object',
  required: ['size'],
  properties: {
    size: { type: 'integer', minimum: 1, maximum: 9 },
    colour: { type: 'string', enum: ['grey', 'red'], default: 'grey' },
    name: { type: 'string', minLength: 2, maxLength: 5, pattern: '^[a-z]+$' },
    port: { 'x-kubernetes-int-or-string': true },
    nested: {
      type: 'object',
      default: {},
      properties: { deep: { type: 'string', default: 'x' }, nullable: { type: 'string', nullable: true } },
    },
    map: { type: 'object', additionalProperties: { type: 'string' } },
    free: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
    template: {
      type: 'object',
      'x-kubernetes-embedded-resource': true,
      properties: { spec: { type: 'object', properties: {} } },
    },
    parts: {
      type: 'array',
      maxItems: 2,
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['name'],
      items: { type: 'object', required: ['name'], properties: { name: { type: 'string' } } },
    },
  },
};

function widget(fields: object): KubernetesObject {
  return { apiVersion: 'example.org/v1', kind: 'Widget', metadata: { name: 'w' }, spec: fields };
}

function definition(schema: object): KubernetesObject {
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'widgets.example.org' },
    spec: {
      group: 'example.org',
      scope: 'Cluster',
      names: { plural: 'widgets', kind: 'Widget' },
      versions: [
        {
          name: 'v1',
          served: true,
          storage: true,
          schema: { openAPIV3Schema: { type: 'object', properties: { spec: schema } } },
        },
      ],
    },
  };
}

let store: ObjectStore;

beforeEach(async () => {
  store = ObjectStore.open(Disk.inMemory(), 'one');
  await store.create(definition(spec));
});

describe('a custom resource', () => {
  test('gets its defaults, loses what nobody knows, and keeps what is free', async () => {
    const made = await store.create(
      widget({
        size: 1,
        unknown: true,
        nested: { other: 1, nullable: null },
        map: { a: 'b' },
        free: { any: [{ thing: null }] },
        template: { kind: 'T', metadata: { name: 'x' }, spec: { gone: 1 } },
      }),
    );
    expect(made.spec).toEqual({
      size: 1,
      colour: 'grey',
      nested: { deep: 'x', nullable: null },
      map: { a: 'b' },
      free: { any: [{ thing: null }] },
      template: { kind: 'T', metadata: { name: 'x' }, spec: {} },
    });
  });

  test.each([
    [{}, 'spec.size: Required value'],
    [{ size: 0 }, 'spec.size: Invalid value: 0: spec.size in body should be greater than or equal to 1'],
    [{ size: 10 }, 'spec.size: Invalid value: 10: spec.size in body should be less than or equal to 9'],
    [
      { size: 'x' },
      'spec.size: Invalid value: "string": spec.size in body must be of type integer: "string"',
    ],
    [{ size: 1, colour: 'blue' }, 'spec.colour: Unsupported value: "blue": supported values: "grey", "red"'],
    [{ size: 1, name: 'abcdef' }, 'spec.name: Too long: may not be more than 5 bytes'],
    [{ size: 1, name: 'AB' }, 'spec.name: Invalid value: "AB": spec.name in body should match \'^[a-z]+$\''],
    [
      { size: 1, port: true },
      'spec.port: Invalid value: "boolean": spec.port in body must be of type integer,string: "boolean"',
    ],
    [{ size: 1, parts: [{}] }, 'spec.parts[0].name: Required value'],
    [{ size: 1, parts: [{ name: 'a' }, { name: 'a' }] }, 'spec.parts[1]: Duplicate value: {"name":"a"}'],
    [
      { size: 1, parts: [{ name: 'a' }, { name: 'b' }, { name: 'c' }] },
      'spec.parts: Too many: 3: must have at most 2 items',
    ],
  ])('with the spec %j is refused', async (fields, problem) => {
    await expect(store.create(widget(fields))).rejects.toMatchObject({
      code: 422,
      message: `Widget.example.org "w" is invalid: ${problem}`,
    });
  });

  test('that became invalid by a new schema can still be changed elsewhere', async () => {
    await store.create(widget({ size: 1, name: 'ab' }));
    await store.update(
      definition({ ...spec, properties: { ...spec.properties, name: { type: 'integer' } } }),
    );
    const reference = { apiVersion: 'example.org/v1', kind: 'Widget', name: 'w' };
    const change = (fields: object) =>
      store.mutate(reference, (object) => ({ ...object, spec: { size: 1, name: 'ab', ...fields } }));
    await expect(change({ size: 2 })).resolves.toMatchObject({ spec: { size: 2 } });
    await expect(change({ name: 'cd' })).rejects.toMatchObject({ code: 422 });
  });

  test.each([
    [{ size: 1, sizzle: 1 }, '.spec.sizzle: field not declared in schema'],
    [{ size: 'x' }, '.spec.size: expected numeric (int or float), got string'],
    [{ map: { a: 1 } }, '.spec.map.a: expected string, got &value.valueUnstructured{Value:1}'],
    [{ parts: [{ name: 'a' }, { name: 'a' }] }, '.spec.parts: duplicate entries for key [name="a"]'],
    [{ free: { any: 1 }, map: { a: 'b' } }, undefined],
  ])('with the spec %j is typed before it is applied', (fields, problem) => {
    const type = store.resourceFor('example.org/v1', 'Widget');
    expect(type && typingProblems(type, 'v1', widget(fields))).toEqual(
      problem === undefined ? [] : [problem],
    );
  });
});

test('a definition that cannot be served is refused', async () => {
  const wrong = { ...definition(spec), metadata: { name: 'other.example.org' } };
  await expect(store.create(wrong)).rejects.toMatchObject({
    code: 422,
    message: expect.stringContaining('must be spec.names.plural+"."+spec.group'),
  });
});
