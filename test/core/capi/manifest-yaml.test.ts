import { expect, test } from 'vitest';
import { parseManifest } from '../../../core/capi/manifest-yaml.ts';
import { hasCode } from '../../../core/errors.ts';

function spec(text: string): unknown {
  return parseManifest(`apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\nvalue: ${text}\n`)[0]?.value;
}

test.each([
  ['yes', true],
  ['on', true],
  ['y', true],
  ['True', true],
  ['no', false],
  ['Off', false],
  ['n', false],
  ['false', false],
  ["'yes'", 'yes'],
  ['only', 'only'],
  ['0644', 420],
  ['0', 0],
  ['08', 8],
  ['1_000', 1000],
  ['0x1F', 31],
  ['12:30', '12:30'],
  ['22:22:22', '22:22:22'],
  ['2026-11-23', '2026-11-23'],
  ['e5', 'e5'],
  ['1e3', 1000],
  ['.', '.'],
  ['1.5', 1.5],
  ['v1.9.5', 'v1.9.5'],
  ['~', null],
  ['a$b', 'a$b'],
])('the scalar %s is %j, as for kubectl', (text, expected) => {
  expect(spec(text)).toEqual(expected);
});

test('documents come in order, empty ones are left out', () => {
  const objects = parseManifest(
    '# only a comment\n---\n---\napiVersion: v1\nkind: A\nmetadata: {name: one}\n---\n\n---\n{"apiVersion": "v1", "kind": "B", "metadata": {"name": "two"}}\n',
  );
  expect(objects.map(({ kind }) => kind)).toEqual(['A', 'B']);
  expect(parseManifest('')).toEqual([]);
});

test('labels and annotations without content are dropped', () => {
  const [object] = parseManifest(
    'apiVersion: v1\nkind: A\nmetadata:\n  name: one\n  annotations:\n  labels:\n',
  );
  expect(object?.metadata).toEqual({ name: 'one' });
});

test('every wrong document is named, and by its line', () => {
  const read = () =>
    parseManifest(
      'kind: A\n---\napiVersion: v1\nkind: B\nmetadata: {}\n---\na: 1\nb: [1\n---\n- list\n',
      'core v1.9.5',
    );
  expect(read).toThrow(
    'core v1.9.5 is no Kubernetes manifest: the document from line 1 on has no apiVersion',
  );
  try {
    read();
  } catch (error) {
    expect(hasCode(error, 'ReleaseCorrupt')).toBe(true);
    expect(error).toMatchObject({
      details: {
        problems: [
          expect.stringContaining('line 1 '),
          expect.stringContaining('line 2 '),
          expect.stringMatching(/^line [89]: /),
          expect.stringContaining('line 9 '),
        ],
      },
    });
  }
});

test('a key that stands twice counts as it stood last, and a merged one less than its own', () => {
  expect(spec('1\nvalue: 2')).toBe(2);
  expect(spec('{<<: {a: 1, b: 1}, a: 2}')).toEqual({ a: 2, b: 1 });
});

test('schemas may nest deep', () => {
  expect(spec(`${'{a: '.repeat(400)}1${'}'.repeat(400)}`)).toHaveProperty(['a', 'a']);
});

test('a manifest of a megabyte is read within a second', () => {
  const property = (name: string) =>
    `          ${name}:\n            description: text of a property\n            type: string\n`;
  const schema = Array.from({ length: 12_000 }, (_, index) => property(`property${index}`)).join('');
  const yaml = `apiVersion: v1\nkind: A\nmetadata: {name: one}\nspec:\n  schema:\n    properties:\n${schema}`;
  const before = process.cpuUsage();
  expect(parseManifest(yaml)).toHaveLength(1);
  // By the processor's time: the machine may have other things to do.
  const { user, system } = process.cpuUsage(before);
  expect((user + system) / 1000).toBeLessThan(1_000);
});
