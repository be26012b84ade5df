import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { stringify } from 'yaml';
import { userDataProblems } from './user-data-problems.ts';

const file = {
  path: '/etc/rancher/k3s/config.yaml.d/10-x.yaml',
  owner: 'root:root',
  permissions: '0600',
  content: 'prefer-bundled-bin: true\n',
} as const;

function userData(files: readonly { readonly path: string; readonly content: string }[], more = ''): string {
  return `## template: jinja\n#cloud-config\n${stringify({ write_files: files })}${more}`;
}

test('user data as it should be has no problems', () => {
  const name = {
    path: '/etc/rancher/k3s/config.yaml',
    content: 'node-name: "{{ ds.meta_data.local_hostname }}"\n',
  };
  expect(userDataProblems('agent', userData([file, name]), [file])).toEqual([]);
});

test.each([
  ['a flag that k3s lacks', userData([{ ...file, content: 'prefer-bundled-bins: true\n' }]), 'no flag'],
  [
    'a file that is not as rendered',
    userData([{ ...file, content: 'prefer-bundled-bin: false' }]),
    'not as Petra',
  ],
  ['no file', userData([]), 'not as Petra'],
  ['a mark of Jinja', userData([file], '# {% raw %}\n'), 'a mark of Jinja'],
  ['no header', userData([file]).replace('jinja', 'none'), 'no cloud-config'],
  [
    'too much',
    userData([file, { path: '/x', content: randomBytes(20_000).toString('base64') }]),
    'bytes, of at most',
  ],
])('%s is a problem', (_, text, problem) => {
  expect(userDataProblems('agent', text, [file]).join('\n')).toContain(problem);
});

test('a flag of servers alone is a problem on an agent', () => {
  const server = { ...file, content: 'tls-san: [a]\n' };
  expect(userDataProblems('first server', userData([server]), [server])).toEqual([]);
  expect(userDataProblems('agent', userData([server]), [server])).toEqual([
    '/etc/rancher/k3s/config.yaml.d/10-x.yaml: k3s has no flag "tls-san"',
  ]);
});
