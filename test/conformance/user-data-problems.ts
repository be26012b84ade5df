// What could be wrong with user data that the k3s bootstrap provider rendered: a cloud-config behind a Jinja template.

import { parse } from 'yaml';
import type { NodeFile } from '../../core/capi/node-file.ts';
import { at, isObject, listAt, textAt } from '../../core/json-fields.ts';
import { userDataLimitBytes } from '../../core/management/user-data-size.ts';
import flags from '../fixtures/k3s-flags.json' with { type: 'json' };
import { type MachineKind, sentBytes } from './rendered-user-data.ts';

/** The one thing that cloud-init has to fill in. */
const nodeName = '{{ ds.meta_data.local_hostname }}';

/** Files of a machine's user data by their paths. @throws YAMLParseError */
export function filesOf(userData: string): ReadonlyMap<string, string> {
  const document: unknown = parse(userData.replaceAll(nodeName, 'ip-10-0-0-1.ec2.internal'));
  return new Map(
    listAt(document, 'write_files').map((file) => [
      textAt(file, 'path') ?? '',
      String(at(file, 'content') ?? ''),
    ]),
  );
}

/** Everything wrong with a machine's user data, which must hold the files that were asked for. */
export function userDataProblems(
  kind: MachineKind,
  userData: string,
  wanted: readonly NodeFile[],
): readonly string[] {
  const files = filesOf(userData);
  const bytes = sentBytes(userData);
  const role = kind === 'agent' ? 'agent' : 'server';
  return [
    ...(bytes < userDataLimitBytes ? [] : [`${bytes} bytes, of at most ${userDataLimitBytes}`]),
    ...(userData.startsWith('## template: jinja\n#cloud-config\n')
      ? []
      : ['no cloud-config behind a Jinja template']),
    ...[...userData.replaceAll(nodeName, '').matchAll(/\{[{%#].*/g)].map(
      ([mark]) => `a mark of Jinja: ${mark}`,
    ),
    ...wanted
      // The provider writes every file as a YAML block, which ends with a line break.
      .filter(({ path, content }) => files.get(path)?.trimEnd() !== content.trimEnd())
      .map(({ path }) => `${path} is not as Petra rendered it`),
    ...unknownFlags(role, files),
  ];
}

/** Keys of k3s configuration files that k3s would skip. */
export function unknownFlags(
  role: 'server' | 'agent',
  files: ReadonlyMap<string, string>,
): readonly string[] {
  const known = new Set([...flags[role], ...flags.provider[role]]);
  return [...files]
    .filter(([path]) => /^\/etc\/rancher\/k3s\/config\.yaml(\.d\/.*\.yaml)?$/.test(path))
    .flatMap(([path, content]) => {
      const config: unknown = parse(content);
      if (!isObject(config)) return [`${path} is no mapping`];
      return Object.keys(config)
        .filter((key) => !known.has(key.replace(/\+$/, '')))
        .map((key) => `${path}: k3s has no flag "${key}"`);
    });
}
