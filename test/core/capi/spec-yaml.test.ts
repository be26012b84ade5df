import { describe, expect, test } from 'vitest';
import { minimal, problemsOf, withLine } from './spec-samples.ts';

const bytes = new TextEncoder();

function utf16(text: string, mark: boolean): Uint8Array {
  const units = Array.from(text, (character) => [character.charCodeAt(0), 0]).flat();
  return Uint8Array.from(mark ? [0xff, 0xfe, ...units] : units);
}

describe('files that are not text', () => {
  test.each([
    ['UTF-16 with its mark', utf16(minimal, true), 'is UTF-16'],
    ['UTF-16 the other way round', Uint8Array.of(0xfe, 0xff, 0, 0x61), 'is UTF-16'],
    ['UTF-32', Uint8Array.of(0xff, 0xfe, 0, 0, 0x61, 0, 0, 0), 'is UTF-32'],
    ['UTF-32 the other way round', Uint8Array.of(0, 0, 0xfe, 0xff, 0, 0, 0, 0x61), 'is UTF-32'],
    ['UTF-16 without mark', utf16(minimal, false), 'contains a NUL byte'],
  ])('%s is named as such', (_, source, problem) => {
    const problems = problemsOf(source);
    expect(problems).toHaveLength(1);
    expect(problems[0]?.problem).toContain(problem);
  });

  test('bytes that are not UTF-8 are reported where they are', () => {
    const source = Uint8Array.from([...bytes.encode('a: 1\nü: '), 0xe9, 0x0a]);
    expect(problemsOf(source)).toMatchObject([
      { line: 2, column: 4, problem: 'contains bytes that are not UTF-8' },
    ]);
    const marked = Uint8Array.from([0xef, 0xbb, 0xbf, ...source]);
    expect(problemsOf(marked)).toMatchObject([{ line: 2, column: 4 }]);
    const cut = bytes.encode('a: ü').subarray(0, 4);
    expect(problemsOf(cut)).toMatchObject([{ line: 1, column: 4 }]);
  });

  test('the replacement character itself is text', () => {
    const problems = problemsOf(minimal.replace('dev', '\ufffd'));
    expect(problems).toMatchObject([{ path: 'metadata.name' }]);
  });

  test('a byte order mark of UTF-8 and Windows line ends are fine', () => {
    expect(problemsOf(Uint8Array.from([0xef, 0xbb, 0xbf, ...bytes.encode(minimal)]))).toEqual([]);
    expect(problemsOf(`\ufeff${minimal}`)).toEqual([]);
    expect(problemsOf(minimal.replaceAll('\n', '\r\n'))).toEqual([]);
  });

  test('control characters are reported where they are, twenty at most', () => {
    expect(problemsOf(`# a\n# b\u001b[31m\n${minimal}`)).toMatchObject([
      { line: 2, column: 4, problem: 'contains the control character U+001B' },
    ]);
    expect(problemsOf(`# ${'\u0007'.repeat(50)}`)).toHaveLength(20);
  });

  test('64 KiB is the limit, counted in bytes', () => {
    const padding = (size: number) => `${minimal}#${'x'.repeat(size - minimal.length - 1)}`;
    expect(problemsOf(padding(65_536))).toEqual([]);
    expect(problemsOf(padding(65_537))).toMatchObject([{ problem: 'is too large (65537 bytes)' }]);
    expect(problemsOf(bytes.encode(padding(65_537)))).toHaveLength(1);
    expect(problemsOf(`#${'ü'.repeat(33_000)}`)).toMatchObject([{ problem: 'is too large (66001 bytes)' }]);
  });
});

describe('files that hold no spec', () => {
  test.each(['', '\n\n', '# nothing\n', '---\n', '---\n---\n', '\ufeff'])('%j is empty', (text) => {
    expect(problemsOf(text)).toMatchObject([{ path: '', problem: 'is empty' }]);
  });

  test.each([
    ['just words', 'is text'],
    ['42', 'is a number'],
    ['true', 'is a truth value'],
    ['- a\n- b', 'is a list'],
    ['null', 'is empty'],
  ])('%j is told as what it is', (text, problem) => {
    expect(problemsOf(text)).toMatchObject([{ path: '', line: 1, column: 1, problem }]);
  });

  test('a second document is refused, empty ones around the first are not', () => {
    expect(problemsOf(`---\n---\n${minimal}...\n---\n`)).toEqual([]);
    expect(problemsOf(`${minimal}---\n${minimal}`)).toMatchObject([
      { path: '', line: 13, column: 1, problem: 'is a second document' },
    ]);
  });
});

describe('syntax', () => {
  test.each([
    ['a tab', 'kind: Cluster\nmetadata:\n\tname: dev\n', { line: 3, column: 1, fix: 'indent with spaces' }],
    ['a bracket that is never closed', 'kind: Cluster\nspec: [1, 2\n', { line: 3 }],
    ['a quote that is never closed', 'kind: "Cluster\n', { line: 2 }],
    ['two values in one line', 'kind: a: b\n', { line: 1, column: 7 }],
    ['a wrong escape', 'kind: "\\q"\n', { line: 1, column: 8 }],
  ])('%s is reported with its place', (_, text, expected) => {
    const problems = problemsOf(text);
    expect(problems[0]).toMatchObject(expected);
    for (const problem of problems) expect(problem.problem).toMatch(/^is not valid YAML: /);
  });

  test('JSON is YAML', () => {
    const spec = {
      apiVersion: 'petra.sh/v1alpha1',
      kind: 'Cluster',
      metadata: { name: 'dev' },
      spec: {
        kubernetes: { version: 'v1.35.3+k3s1' },
        target: { region: 'us-west-1' },
        nodes: { controlPlane: { count: 1 }, workers: { count: 0 } },
      },
    };
    expect(problemsOf(JSON.stringify(spec))).toEqual([]);
    expect(problemsOf(JSON.stringify(spec, undefined, '\t'))).toEqual([]);
  });
});

describe('parts of YAML that a spec does not use', () => {
  test.each([
    ['an anchor', 'profile: &p standard', ['spec.profile: has a YAML anchor']],
    ['an anchor on a mapping', 'addons: &p {}', ['spec.addons: has a YAML anchor']],
    ['an alias', 'profile: *p', ['spec.profile: is an alias']],
    ['an alias of a section', 'management: *p', ['spec.management: is an alias']],
    ['a tag', 'profile: !!str standard', ['spec.profile: has a YAML tag']],
    ['a private tag', 'addons: !mine {x: 1}', ['spec.addons: has a YAML tag']],
    ['a merge key', '<<: {profile: standard}', ['spec: uses the merge key `<<`']],
    ['an alias as a key', '*p : 1', ['spec: has a key that is not plain text']],
    ['a list as a key', '? [a, b]\n  : 1', ['spec: has a key that is not plain text']],
    ['a tagged key', '!!str profile: standard', ['spec: has a key that is not plain text']],
    ['an empty key', ': 1', ['spec: has an empty key']],
  ])('%s is refused once, and says nothing about what is in it', (_, line, expected) => {
    const problems = problemsOf(withLine(line));
    expect(problems.map(({ path, problem }) => `${path}: ${problem}`)).toEqual(expected);
    expect(problems[0]).toMatchObject({ line: 12 });
  });

  test('a quoted `<<` is an unknown field like any other', () => {
    expect(problemsOf(withLine('"<<": {}'))).toMatchObject([
      { path: 'spec["<<"]', problem: 'is not a known field' },
    ]);
  });

  test('a file that asks for YAML 1.1 is refused, since it would mean something else', () => {
    expect(problemsOf(`%YAML 1.1\n---\n${minimal}`)).toMatchObject([
      { line: 1, problem: 'asks for YAML 1.1' },
    ]);
    expect(problemsOf(`%YAML 1.2\n---\n${minimal}`)).toEqual([]);
  });
});

describe('keys', () => {
  test('a key given twice is reported at the second place, with the line of the first', () => {
    expect(problemsOf(withLine('profile: standard\n  "profile": standard'))).toMatchObject([
      { path: 'spec.profile', line: 13, column: 3, problem: 'is already given in line 12' },
    ]);
  });

  test.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'prototype'])(
    '%s is an unknown field, and nothing else',
    (key) => {
      expect(problemsOf(withLine(`${key}: {polluted: true}`))).toMatchObject([
        { path: `spec.${key}`, line: 12, column: 3, problem: 'is not a known field' },
      ]);
      expect({}).not.toHaveProperty('polluted');
    },
  );

  test('keys that YAML reads as numbers or truth values are text', () => {
    const problems = problemsOf(withLine('1: a\n  true: b\n  1.0: c'));
    expect(problems.map((problem) => problem.path)).toEqual(['spec["1"]', 'spec.true', 'spec["1.0"]']);
  });
});

describe('hostile files', () => {
  const size = 65_536;
  const fill = (part: string) => part.repeat(Math.floor(size / part.length));
  const bomb = `a: &a [x,x,x,x,x,x,x,x,x]\n${Array.from(
    { length: 20 },
    (_, index) => `k${index}: &k${index} [${Array(9).fill(`*${index === 0 ? 'a' : `k${index - 1}`}`)}]\n`,
  ).join('')}`;

  test.each([
    ['aliases that multiply', bomb],
    ['open brackets', fill('[')],
    ['open braces', fill('{')],
    ['closed brackets', '['.repeat(size / 2) + ']'.repeat(size / 2)],
    ['lists in lists', fill('- ')],
    ['keys in keys', fill('? ')],
    ['mappings in mappings', Array.from({ length: 300 }, (_, index) => `${' '.repeat(index)}a:\n`).join('')],
    ['values in values', fill('a: ')],
    ['many documents', fill('--- \n')],
    ['many documents with content', fill('--- a\n')],
    ['many keys', Array.from({ length: 9000 }, (_, index) => `k${index}:`).join('\n')],
    ['many near keys', Array.from({ length: 6000 }, (_, index) => `spec${index}:`).join('\n')],
    ['many equal keys', fill('a:\n')],
    ['many anchors', fill('&a ')],
    ['many tags', fill('!!str ')],
    ['many wrong escapes', `"${'\\x'.repeat(size / 2 - 1)}"`],
    ['one long line', fill('a')],
    ['one long name', minimal.replace('dev', 'a-'.repeat(30_000))],
    ['one long region', minimal.replace('us-west-1', 'us-'.repeat(20_000))],
    [
      'one long instance type',
      minimal.replace('count: 1', `count: 1, instanceType: ${'a1-'.repeat(20_000)}`),
    ],
    ['one long version', minimal.replace('v1.35.3+k3s1', '1.'.repeat(30_000))],
    ['one long k3s revision', minimal.replace('v1.35.3+k3s1', `1.2.3${'-'.repeat(60_000)}`)],
    [
      'one long instance size',
      minimal.replace('count: 1', `count: 1, instanceType: .x${'x'.repeat(60_000)}`),
    ],
    ['one long count', minimal.replace('count: 1', `count: ${'9'.repeat(60_000)}`)],
    ['spaces', ' '.repeat(size)],
    ['line ends', '\n'.repeat(size)],
    ['colons', fill(':')],
    [
      'many subnets',
      withLine(`x: 1`).replace(
        '  nodes:',
        `    network: {subnetIds: [${fill('a,').slice(0, 60_000)}]}\n  nodes:`,
      ),
    ],
  ])('%s end quickly, with few problems and short texts', (_, text) => {
    const before = process.cpuUsage();
    const problems = problemsOf(text);
    // By the processor's time, and generous: what it guards against takes minutes or all memory.
    const { user, system } = process.cpuUsage(before);
    expect((user + system) / 1000).toBeLessThan(3000);
    expect(problems.length).toBeGreaterThan(0);
    expect(problems.length).toBeLessThanOrEqual(101);
    for (const problem of problems) expect(JSON.stringify(problem).length).toBeLessThan(1000);
  });
});
