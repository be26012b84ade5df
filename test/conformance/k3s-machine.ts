// What the user data of a workload cluster's machine makes of it, as far as others can see: k3s' configuration, the
// cluster's authorities, and what runs on it. k3s itself does not run here.

import { parse, parseAllDocuments } from 'yaml';
import { at, isObject, textAt } from '../../core/json-fields.ts';
import type { KeyPair } from '../../local/kubernetes/certificates.ts';
import k3sFlags from '../fixtures/k3s-flags.json' with { type: 'json' };
import type { ApiServerSettings } from './api-server-settings.ts';
import type { CloudConfig } from './cloud-config.ts';

export interface ClusterAuthorities {
  /** Signs what servers show. */
  readonly server: KeyPair;
  /** Signs what clients show. */
  readonly client: KeyPair;
  /** Signs both on the ports of etcd. */
  readonly etcd: KeyPair;
}

export interface K3sMachine {
  readonly role: 'server' | 'agent';
  /** The server that starts the cluster. */
  readonly isFirst: boolean;
  readonly version: string;
  readonly nodeName: string;
  readonly token: string;
  /** The cluster's API, for those who join. */
  readonly server: string | undefined;
  /** Names that the API's certificate is good for. */
  readonly apiNames: readonly string[];
  /** For the kube-apiserver in k3s. */
  readonly apiServer: ApiServerSettings;
  readonly labels: Readonly<Record<string, string>>;
  readonly taints: readonly Taint[];
  /** The kubelet waits for a cloud controller manager to say which instance it is on. */
  readonly waitsForCloud: boolean;
  readonly hasFlannel: boolean;
  /** Names of HelmCharts among the manifests of a first server. */
  readonly charts: readonly string[];
  /** Only a first server has them in its user data; the others get them from it. */
  readonly authorities: ClusterAuthorities | undefined;
  readonly problems: readonly string[];
}

export interface Taint {
  readonly key: string;
  readonly value?: string;
  readonly effect: string;
}

const configFile = '/etc/rancher/k3s/config.yaml';
const manifests = '/var/lib/rancher/k3s/server/manifests/';
const certificates = '/var/lib/rancher/k3s/server/tls/';

type Config = Readonly<Record<string, unknown>>;

export function readK3sMachine({ files, commands, problems: unread }: CloudConfig): K3sMachine {
  const problems = [...unread];
  const install = commands.map((command) => installation(command)).find((found) => found !== undefined);
  if (!install) problems.push('no command installs k3s');
  const role = install?.role ?? 'agent';
  const config = k3sConfig(files, problems);
  problems.push(...unknownFlags(config, role));
  const nodeName = textAt(config, 'node-name') ?? '';
  if (nodeName === '') problems.push('k3s is given no node-name');
  const isFirst = at(config, 'cluster-init') === true;
  const authorities = role === 'server' && isFirst ? authoritiesOf(files, problems) : undefined;
  const kubelet = list(config['kubelet-arg']);
  return {
    role,
    isFirst: role === 'server' && isFirst,
    version: install?.version ?? '',
    nodeName,
    token: textAt(config, 'token') ?? '',
    server: textAt(config, 'server'),
    apiNames: list(config['tls-san']),
    apiServer: { args: list(config['kube-apiserver-arg']), files },
    labels: { ...pairs(list(config['node-label'])), ...labelsOfCommands(commands, nodeName) },
    taints: list(config['node-taint']).map(taintOf),
    waitsForCloud: kubelet.includes('cloud-provider=external'),
    hasFlannel: config['flannel-backend'] !== 'none',
    charts: chartsOf(files, problems),
    authorities,
    problems,
  };
}

/** `… INSTALL_K3S_VERSION=v1 sh -s - server`, as the bootstrap provider writes it: cluster-api-k3s v0.3.1, pkg/cloudinit. */
function installation(
  command: string,
): { readonly role: 'server' | 'agent'; readonly version: string } | undefined {
  const found = /INSTALL_K3S_VERSION=(\S+) sh -s - (server|agent)\b/.exec(command);
  if (found?.[1] === undefined) return undefined;
  return { version: found[1], role: found[2] === 'server' ? 'server' : 'agent' };
}

/** The file and its drop-ins in the order of their names: docs.k3s.io, "Configuration File". */
function k3sConfig(files: ReadonlyMap<string, string>, problems: string[]): Config {
  const dropIns = [...files.keys()]
    .filter((path) => path.startsWith(`${configFile}.d/`) && path.endsWith('.yaml'))
    .sort();
  const merged: Record<string, unknown> = {};
  for (const path of [configFile, ...dropIns]) {
    const config = parsedOrNothing(files.get(path) ?? '');
    if (!isObject(config)) {
      problems.push(`${path} is no YAML object`);
      continue;
    }
    for (const [key, value] of Object.entries(config)) {
      if (key.endsWith('+')) {
        const name = key.slice(0, -1);
        merged[name] = [...list(merged[name]), ...list(value)];
      } else merged[key] = value;
    }
  }
  return merged;
}

function parsedOrNothing(text: string): unknown {
  try {
    return parse(text);
  } catch {
    return undefined;
  }
}

/** k3s skips what it does not know with a line in its log. */
function unknownFlags(config: Config, role: 'server' | 'agent'): readonly string[] {
  const known = new Set([...k3sFlags[role], ...k3sFlags.provider[role]]);
  return Object.keys(config)
    .filter((key) => !known.has(key))
    .map((key) => `k3s ${role} knows no flag "${key}"`);
}

function authoritiesOf(
  files: ReadonlyMap<string, string>,
  problems: string[],
): ClusterAuthorities | undefined {
  const pair = (name: string): KeyPair | undefined => {
    const certificate = files.get(`${certificates}${name}.crt`);
    const key = files.get(`${certificates}${name}.key`);
    if (certificate && key) return { certificate, key };
    problems.push(`the user data of a first server has no ${certificates}${name}`);
    return undefined;
  };
  const server = pair('server-ca');
  const client = pair('client-ca');
  const etcd = pair('etcd/server-ca');
  return server && client && etcd ? { server, client, etcd } : undefined;
}

/** What the node's own administrator labels it with once it is there. */
function labelsOfCommands(commands: readonly string[], nodeName: string): Readonly<Record<string, string>> {
  const texts: string[] = [];
  for (const command of commands) {
    const found = /\bk3s kubectl label (?:--overwrite )?node (\S+) ([^;&|]+)/.exec(command);
    if (found?.[1] === nodeName) texts.push(...(found[2] ?? '').trim().split(/\s+/));
  }
  return pairs(texts);
}

function chartsOf(files: ReadonlyMap<string, string>, problems: string[]): readonly string[] {
  const names: string[] = [];
  for (const [path, content] of files) {
    if (!path.startsWith(manifests)) continue;
    for (const document of parseAllDocuments(content)) {
      if (document.errors.length > 0) problems.push(`${path} is no YAML`);
      const object: unknown = document.toJS();
      const name = textAt(object, 'metadata', 'name');
      if (at(object, 'kind') === 'HelmChart' && name !== undefined) names.push(name);
    }
  }
  return names;
}

function list(value: unknown): readonly string[] {
  if (value === undefined || value === null) return [];
  return (Array.isArray(value) ? value : [value]).map(String);
}

function pairs(texts: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    texts.map((text) => {
      const [key = '', value = ''] = text.split('=');
      return [key, value];
    }),
  );
}

/** `key=value:Effect` or `key:Effect`. */
function taintOf(text: string): Taint {
  const [left = '', effect = ''] = text.split(':');
  const [key = '', value] = left.split('=');
  return { key, effect, ...(value === undefined ? {} : { value }) };
}
