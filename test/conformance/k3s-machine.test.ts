import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { readCloudConfig, userDataLimitBytes } from './cloud-config.ts';
import { type K3sMachine, readK3sMachine } from './k3s-machine.ts';

const host = 'ip-10-0-0-7.us-west-1.compute.internal';
const nodeName = '{{ ds.meta_data.local_hostname }}';
const tls = '/var/lib/rancher/k3s/server/tls';
const install = (role: string) =>
  `curl -sfL https://get.k3s.io | INSTALL_K3S_VERSION=v1.35.3+k3s1 sh -s - ${role} && true`;

const server = { 'cluster-init': true, 'node-name': nodeName, token: 'secret', 'tls-san': ['10.250.0.1'] };
const authorityFiles = Object.fromEntries(
  ['server-ca', 'client-ca', 'etcd/server-ca'].flatMap((name) => [
    [`${tls}/${name}.crt`, `certificate of ${name}`],
    [`${tls}/${name}.key`, `key of ${name}`],
  ]),
);

interface Given {
  readonly config?: object;
  readonly files?: Readonly<Record<string, string>>;
  readonly commands?: readonly string[];
  readonly header?: string;
}

function userData({
  config = server,
  files = authorityFiles,
  commands = [install('server')],
  header,
}: Given) {
  const written = { ...files, '/etc/rancher/k3s/config.yaml': stringify(config) };
  const write_files = Object.entries(written).map(([path, content]) => ({ path, content }));
  const begin = header ?? '## template: jinja\n#cloud-config\n';
  return `${begin}${stringify({ write_files, runcmd: commands }, { lineWidth: 0 })}`;
}

function read(given: Given): K3sMachine {
  return readSent(gzipSync(userData(given)));
}

function readSent(sent: Buffer): K3sMachine {
  const machine = {
    instanceId: 'i-1',
    localHostName: host,
    region: 'us-west-1',
    availabilityZone: 'us-west-1a',
  };
  return readK3sMachine(readCloudConfig(sent, machine));
}

describe('the user data of a stand-in machine', () => {
  it('makes a first server with the authorities of its cluster', () => {
    expect(read({})).toMatchObject({
      role: 'server',
      isFirst: true,
      version: 'v1.35.3+k3s1',
      nodeName: host,
      token: 'secret',
      apiNames: ['10.250.0.1'],
      authorities: { client: { certificate: 'certificate of client-ca', key: 'key of client-ca' } },
      problems: [],
    });
  });

  it('is read the same when it is not compressed', () => {
    expect(readSent(Buffer.from(userData({})))).toEqual(read({}));
  });

  it('makes an agent that joins a server', () => {
    const config = { 'node-name': nodeName, token: 'secret', server: 'https://10.250.0.1:6443' };
    expect(read({ config, files: {}, commands: [install('agent')] })).toMatchObject({
      role: 'agent',
      isFirst: false,
      server: 'https://10.250.0.1:6443',
      authorities: undefined,
      problems: [],
    });
  });

  it('lets drop-ins replace, and add to, what comes before them', () => {
    const files = {
      ...authorityFiles,
      '/etc/rancher/k3s/config.yaml.d/20-more.yaml': 'kubelet-arg+: [cloud-provider=external]\n',
      '/etc/rancher/k3s/config.yaml.d/10-cni.yaml': 'flannel-backend: none\nkubelet-arg: [max-pods=20]\n',
    };
    const machine = read({ config: { ...server, 'kubelet-arg': ['v=2'] }, files });
    expect(machine).toMatchObject({ hasFlannel: false, waitsForCloud: true, problems: [] });
  });

  it('gives the Node labels and taints of the configuration and of commands', () => {
    const config = { ...server, 'node-label': ['a=b'], 'node-taint': ['only=me:NoSchedule', 'x:NoExecute'] };
    const label = `k3s kubectl label --overwrite node ${nodeName} node-role.kubernetes.io/master=true`;
    const commands = [install('server'), `until /usr/local/bin/${label}; do sleep 5; done`];
    expect(read({ config, commands })).toMatchObject({
      labels: { a: 'b', 'node-role.kubernetes.io/master': 'true' },
      taints: [
        { key: 'only', value: 'me', effect: 'NoSchedule' },
        { key: 'x', effect: 'NoExecute' },
      ],
    });
  });

  it('finds the charts among the manifests', () => {
    const manifest = 'apiVersion: helm.cattle.io/v1\nkind: HelmChart\nmetadata: {name: cilium}\n';
    const files = { ...authorityFiles, '/var/lib/rancher/k3s/server/manifests/cilium.yaml': manifest };
    expect(read({ files }).charts).toEqual(['cilium']);
  });

  const wrong: readonly [what: string, given: Given, problem: string][] = [
    ['a flag that k3s does not know', { config: { ...server, 'flanel-backend': 'none' } }, 'flanel-backend'],
    [
      'a flag of servers on an agent',
      { config: { ...server, 'secrets-encryption': true }, commands: [install('agent')] },
      'k3s agent knows no flag "secrets-encryption"',
    ],
    [
      'a variable that cloud-init does not know',
      { config: { ...server, 'node-name': '{{ ds.meta_data.name }}' } },
      'cannot fill in {{ ds.meta_data.name }}',
    ],
    ['marks of Jinja elsewhere', { files: { ...authorityFiles, '/a': '{% raw %}' } }, 'fill in {% raw %}'],
    ['no authorities', { files: {} }, 'server-ca'],
    ['nothing that installs k3s', { commands: ['true'] }, 'no command installs k3s'],
    ['another kind of user data', { header: '#!/bin/sh\n' }, 'does not begin with #cloud-config'],
    [
      'a drop-in that is no YAML',
      { files: { ...authorityFiles, '/etc/rancher/k3s/config.yaml.d/a.yaml': 'a: [' } },
      'a.yaml is no YAML object',
    ],
  ];

  it.each(wrong)('is a problem with %s', (_, given, problem) => {
    expect(read(given).problems.join('\n')).toContain(problem);
  });

  it('is a problem when EC2 would not take it, and none at the limit', () => {
    const text = userData({});
    const filled = (length: number) => readSent(Buffer.from(text.padEnd(length, '#')));
    expect(filled(userDataLimitBytes).problems).toEqual([]);
    expect(filled(userDataLimitBytes + 1).problems).toEqual(['user data has 16385 bytes, EC2 takes 16384']);
  });
});
