import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { mergeKubeconfig } from '../../cli/kubeconfig-merge.ts';
import { stubKubeconfig } from './stub-api.ts';

const merge = (existing: string, cluster = 'dev', setCurrent = false) =>
  mergeKubeconfig(existing, stubKubeconfig, { cluster, setCurrent, what: 'config' });

interface Entry {
  readonly name: string;
}

interface Kubeconfig {
  readonly 'current-context'?: string;
  readonly clusters: readonly (Entry & { readonly cluster: Record<string, unknown> })[];
  readonly contexts: readonly (Entry & { readonly context: Record<string, unknown> })[];
  readonly users: readonly (Entry & { readonly user: Record<string, unknown> })[];
}

function read(text: string): Kubeconfig {
  return parse(text);
}

describe('a merge', () => {
  it('makes a whole kubeconfig out of nothing, and the only context current', () => {
    const { text, contextName, updated, current } = merge('');
    expect({ contextName, updated, current }).toEqual({
      contextName: 'petra-dev',
      updated: false,
      current: true,
    });
    expect(read(text)).toMatchObject({
      apiVersion: 'v1',
      kind: 'Config',
      'current-context': 'petra-dev',
      clusters: [
        {
          name: 'petra-dev',
          cluster: { server: 'https://10.0.0.1:6443', 'certificate-authority-data': 'Q0E=' },
        },
      ],
      contexts: [{ name: 'petra-dev', context: { cluster: 'petra-dev', user: 'petra-dev' } }],
      users: [
        { name: 'petra-dev', user: { 'client-certificate-data': 'Q0VSVA==', 'client-key-data': 'S0VZ' } },
      ],
    });
  });

  it.for([
    'clusters: []\ncontexts: null\nusers:\n',
    '# only a comment\n',
    '{}',
    'apiVersion: v1\nkind: Config\n',
  ])('takes %j for an empty file', (existing) => {
    expect(read(merge(existing).text).contexts.map((entry) => entry.name)).toEqual(['petra-dev']);
  });

  it('changes nothing the second time', () => {
    const first = merge('# mine\nclusters: []\n');
    const second = merge(first.text);
    expect(second.text).toBe(first.text);
    expect(second.updated).toBe(true);
  });

  it('leaves the current context alone unless told otherwise', () => {
    const existing = 'current-context: mine\n';
    expect(read(merge(existing).text)['current-context']).toBe('mine');
    expect(read(merge(existing, 'dev', true).text)['current-context']).toBe('petra-dev');
  });

  it("does not overwrite somebody else's entry of its name", () => {
    const existing = 'users:\n- name: petra-dev\n  user: {token: theirs}\n';
    const { text, contextName } = merge(existing);
    expect(contextName).toBe('petra-dev-2');
    expect(read(text).users).toMatchObject([
      { name: 'petra-dev', user: { token: 'theirs' } },
      { name: 'petra-dev-2' },
    ]);
    expect(merge(text)).toMatchObject({ text, contextName: 'petra-dev-2', updated: true });
  });

  it('keeps values as they were spelled, whatever a YAML parser would make of them', () => {
    const existing =
      'users:\n- name: a\n  user:\n    token: 012345678901234567890\n    username: yes\n    password: 1.10\n    x: 0x1F\n';
    expect(merge(existing).text.startsWith(existing)).toBe(true);
  });

  it.for([
    ['broken YAML', 'clusters: [\n'],
    ['a list', '- a\n'],
    ['a word', 'hello\n'],
    ['another kind', 'kind: Secret\n'],
    ['clusters that are no list', 'clusters: {a: b}\n'],
    ['a key twice', 'users: []\nusers: []\n'],
  ])('refuses %s', ([, existing = '']) => {
    expect(() => merge(existing)).toThrow(expect.objectContaining({ code: 'FileUnreadable' }));
  });

  const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 });
  const entryName = fc.oneof(
    text,
    fc.constantFrom('petra-dev', 'petra-dev-2', 'admin@workload-dev', 'default'),
  );
  const comment = fc.stringMatching(/^[a-z ]{0,20}$/);
  const others = fc.uniqueArray(fc.record({ name: entryName, comment, value: text }), {
    selector: (entry) => entry.name,
    maxLength: 5,
  });

  it('loses nothing of anybody: entries, order, comments, other keys', () => {
    fc.assert(
      fc.property(others, others, others, fc.boolean(), (clusters, contexts, users, setCurrent) => {
        const lines = (key: string, field: string, entries: typeof clusters, list: string) => [
          `${list}:${entries.length === 0 ? ' []' : ''}`,
          ...entries.flatMap((entry) => [
            `# above: ${entry.comment}`,
            `- name: ${JSON.stringify(entry.name)} # beside: ${entry.comment}`,
            `  ${key}:`,
            `    ${field}: ${JSON.stringify(entry.value)}`,
          ]),
        ];
        const existing = [
          '# top of the file',
          'apiVersion: v1',
          'kind: Config',
          'preferences: {colors: true}',
          ...lines('cluster', 'server', clusters, 'clusters'),
          ...lines('context', 'namespace', contexts, 'contexts'),
          ...lines('user', 'token', users, 'users'),
          'current-context: mine',
          '',
        ].join('\n');
        const before = read(existing);
        const merged = merge(existing, 'dev', setCurrent);
        const after = read(merged.text);

        for (const list of ['clusters', 'contexts', 'users'] as const) {
          expect(after[list].slice(0, -1)).toEqual(before[list]);
          expect(after[list].at(-1)?.name).toBe(merged.contextName);
          expect(before[list].map((entry) => entry.name)).not.toContain(merged.contextName);
        }
        expect(after['current-context']).toBe(setCurrent ? merged.contextName : 'mine');
        const comments = (all: string) => all.split('\n').flatMap((line) => line.match(/# .*?(?= *$)/) ?? []);
        expect(comments(merged.text)).toEqual(comments(existing));
        expect(merge(merged.text, 'dev', setCurrent).text).toBe(merged.text);
      }),
    );
  });

  it('names a context petra-mgmt for a cluster of that name, and keeps it apart from that of a cluster mgmt', () => {
    const first = merge('', 'petra-mgmt');
    const second = merge(first.text, 'mgmt');
    expect([first.contextName, second.contextName]).toEqual(['petra-mgmt', 'petra-mgmt-2']);
    expect(merge(second.text, 'petra-mgmt')).toMatchObject({ text: second.text, updated: true });
  });

  it('keeps several clusters apart', () => {
    const both = merge(merge('', 'one').text, 'two');
    expect(read(both.text).contexts.map((entry) => entry.name)).toEqual(['petra-one', 'petra-two']);
    expect(read(both.text)['current-context']).toBe('petra-one');
  });
});
