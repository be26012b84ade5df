// What a management node does from power-on until it is a node of its cluster. The script, the units, curl, the routing
// rules and the file system are real; AWS, systemd and k3s are stand-ins.

import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { kubeconfigSecret, SandboxedMachine, sandboxTimeout, tokenSecret, whyNoSandbox } from './machine.ts';

describe.skipIf(whyNoSandbox)(`a management node starts${whyNoSandbox}`, { timeout: sandboxTimeout }, () => {
  test('the first server installs k3s, starts the cluster and stores the kubeconfig with its own address', () => {
    const machine = new SandboxedMachine('server-0');
    expect(machine.firstStart()).toMatchObject({ status: 0 });
    expect(machine.read('/etc/rancher/k3s/join-token')).toBe('a-join-token\n');
    expect(machine.mode('/etc/rancher/k3s/join-token')).toBe(0o600);
    expect(machine.mode('/usr/local/bin/k3s')).toBe(0o755);
    expect(machine.lines('/cloud/calls')).toContain('k3s server');
    const kubeconfig = parse(machine.read(`/cloud/secrets/${kubeconfigSecret}`));
    expect(kubeconfig.clusters[0].cluster.server).toBe('https://10.0.0.10:6443');
    expect(machine.has('/etc/rancher/k3s/config.yaml.d/90-petra-join.yaml')).toBe(false);
    expect(machine.lines('/cloud/masked')).toEqual(['sshd.service']);
  });

  test.each([
    ['server-1', 'k3s server'],
    ['agent-0', 'k3s agent'],
  ])('%s joins, and stores no kubeconfig', (name, started) => {
    const machine = new SandboxedMachine(name);
    expect(machine.firstStart()).toMatchObject({ status: 0 });
    expect(parse(machine.read('/etc/rancher/k3s/config.yaml'))).toMatchObject({
      server: 'https://10.0.0.10:6443',
      'token-file': '/etc/rancher/k3s/join-token',
    });
    expect(machine.lines('/cloud/calls')).toContain(started);
    expect(machine.has('/cloud/published')).toBe(false);
    expect(machine.lines('/cloud/calls').join('\n')).not.toContain('petra-kubeconfig');
    expect(machine.lines('/cloud/progress').at(-1)).toBe('is ready');
  });

  test.each(['startAgain', 'reboot'] as const)(
    'a second run (%s) changes nothing, downloads nothing and reads no secret',
    (again) => {
      const machine = new SandboxedMachine('server-0');
      machine.firstStart();
      const disk = machine.disk();
      machine.remove('/cloud/calls');
      machine.remove('/cloud/downloads');
      if (again === 'startAgain') machine.remove('/run/active/petra-node.service');
      expect(machine[again]()).toMatchObject({ status: 0 });
      expect(machine.lines('/cloud/progress').at(-1)).toBe('is ready');
      expect(machine.disk()).toEqual(disk);
      expect(machine.lines('/cloud/downloads')).toEqual([]);
      expect(machine.lines('/cloud/published')).toHaveLength(1);
      expect(machine.lines('/cloud/calls').join('\n')).not.toContain('secretsmanager');
    },
  );

  test('it waits for a token that is not there yet, and for a role that does not work yet', () => {
    const machine = new SandboxedMachine('agent-0');
    machine.refuse(
      'get-secret-value',
      40,
      'AccessDeniedException',
      'no identity-based policy allows the action',
    );
    expect(machine.firstStart()).toMatchObject({ status: 0 });
    expect(machine.lines('/cloud/calls').filter((call) => call === 'sleep 10')).toHaveLength(40);
  });

  test('it gives up on a token that never comes, says which, and starts when it came after all', () => {
    const machine = new SandboxedMachine('agent-0');
    machine.remove(`/cloud/secrets/${tokenSecret}`);
    const { status, console } = machine.firstStart();
    expect(status).toBe(1);
    const words = new RegExp(
      `^petra: failed: cannot read the secret ${tokenSecret}: .*ResourceNotFoundException`,
    );
    expect(console.at(-1)).toMatch(words);

    machine.write(`/cloud/secrets/${tokenSecret}`, 'a-join-token\n');
    expect(machine.startAgain()).toMatchObject({ status: 0 });
    expect(machine.lines('/cloud/progress').at(-1)).toBe('is ready');
  });

  test('a first server that is a replacement joins the servers that are there, rather than start a second cluster', () => {
    const machine = new SandboxedMachine('server-0');
    machine.write('/cloud/peer-answers', '');
    const { status, console } = machine.firstStart();
    expect(status).toBe(0);
    expect(console).toContain('petra: joins the cluster found at 10.0.0.12');
    expect(parse(machine.read('/etc/rancher/k3s/config.yaml.d/90-petra-join.yaml'))).toEqual({
      'cluster-init': false,
      server: 'https://10.0.0.12:6443',
    });
    expect(machine.lines('/cloud/published')).toHaveLength(1);
  });

  test('a first server with data of its own starts as itself, whoever else is there', () => {
    const machine = new SandboxedMachine('server-0');
    machine.firstStart();
    machine.write('/cloud/peer-answers', '');
    expect(machine.reboot()).toMatchObject({ status: 0 });
    expect(machine.has('/etc/rancher/k3s/config.yaml.d/90-petra-join.yaml')).toBe(false);
  });

  test('k3s that does not start is a failure with its own last word', () => {
    const machine = new SandboxedMachine('server-1');
    machine.write('/cloud/k3s-refuses', '');
    const { status, console } = machine.firstStart();
    expect(status).toBe(1);
    expect(console).toContain('level=fatal msg="starting kubernetes: port is in use"');
    expect(console.at(-1)).toMatch(/^petra: failed: k3s did not start: level=fatal .*port is in use/);
  });

  test('an API that does not become ready is a failure', () => {
    const machine = new SandboxedMachine('server-0');
    machine.write('/cloud/api-not-ready', '');
    expect(machine.firstStart().console.at(-1)).toBe(
      'petra: failed: the Kubernetes API is not ready: Error from server: etcd is not ready',
    );
    expect(machine.has('/cloud/published')).toBe(false);
  });

  test('k3s does not start where its pods could reach the credentials of the instance', () => {
    const machine = new SandboxedMachine('agent-0');
    machine.firstStart();
    expect(machine.lines('/cloud/rules-at-start')).toContain('51:\tfrom all to 169.254.169.254 prohibit');
    expect(machine.lines('/cloud/rules-at-start')).toContain('51:\tfrom all to fd00:ec2::254 prohibit');

    machine.write('/usr/local/sbin/petra-shield-credentials', '#!/bin/sh\nexit 1\n');
    machine.remove('/cloud/calls');
    expect(machine.reboot().status).toBe(1);
    expect(machine.lines('/cloud/calls')).not.toContain('k3s agent');
  });

  test('no secret appears on the console, in a tag, or among the arguments of a command', () => {
    const machine = new SandboxedMachine('server-0');
    const { console } = machine.firstStart();
    const seen = [...console, ...machine.lines('/cloud/calls'), ...machine.lines('/cloud/progress')].join(
      '\n',
    );
    expect(seen).not.toMatch(/a-join-token|client-key-data|a-session-token/);
  });
});
