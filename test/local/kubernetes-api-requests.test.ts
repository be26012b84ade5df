import { expect, test } from 'vitest';
import { parseBody } from '../../local/kubernetes/api-requests.ts';

test.each([
  ['JSON', 'application/json', '{"metadata":{"managedFields":[{"fieldsV1":{"__proto__":{"polluted":{}}}}]}}'],
  ['a merge patch', 'application/merge-patch+json', '{"__proto__":{"polluted":true}}'],
  ['YAML', 'application/apply-patch+yaml', 'data:\n  __proto__:\n    polluted: "yes"\n'],
])('%s with a field that is the prototype of every object is refused', (_title, type, text) => {
  expect(() => parseBody(Buffer.from(text), type)).toThrow(/__proto__/);
  expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false);
});

test('a body that nests deeper than any stack is read or refused, never the end of the process', () => {
  const deep = `${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)}`;
  try {
    parseBody(Buffer.from(deep), 'application/json');
  } catch (error) {
    expect(error).toMatchObject({ code: 400 });
  }
});
