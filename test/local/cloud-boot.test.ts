import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import type { SimulatedCloud } from '../../local/cloud/simulated-cloud.ts';
import { Disk } from '../../local/disk.ts';
import { cloudOf, launchNode, makeSecrets, RecordedKubernetes } from './cloud-fixture.ts';
import { eventually } from './eventually.ts';

const region = 'us-west-1';
const clouds: SimulatedCloud[] = [];

function startCloud(parts: Parameters<typeof cloudOf>[0]): SimulatedCloud {
  const cloud = cloudOf(parts);
  clouds.push(cloud);
  cloud.start();
  return cloud;
}

afterEach(async () => {
  for (const cloud of clouds.splice(0)) await cloud.stop();
});

async function consoleOf(cloud: SimulatedCloud, id: string): Promise<string> {
  return (await cloud.machines.consoleOutput(region, id)).join('\n');
}

describe('the boot of simulated machines', () => {
  it('brings up the API, its kubeconfig and a node with the first server', async () => {
    const kubernetes = new RecordedKubernetes();
    const cloud = startCloud({ kubernetes });
    await makeSecrets(cloud, 'uid-1');
    const { id, address } = await launchNode(cloud, 'uid-1', { name: 'server-0', first: true });

    await eventually(() => kubernetes.nodesOf('uid-1')).toEqual(['mgmt-server-0']);
    expect(kubernetes.clusters.get('uid-1')).toMatchObject({ name: 'mgmt', version: 'v1.35.3+k3s1', region });
    expect(kubernetes.clusters.get('uid-1')?.nodes.get('mgmt-server-0')).toEqual({
      name: 'mgmt-server-0',
      role: 'server',
      address,
      providerId: `aws:///us-west-1a/${id}`,
      version: 'v1.35.3+k3s1',
      instanceType: 'm5a.large',
      zone: 'us-west-1a',
    });
    expect(await cloud.secrets.read('petra/uid-1/kubeconfig')).toBe('server: https://127.0.0.1:6443/uid-1');
  });

  it('lets agents and other servers join once the API is up, in whatever order they are launched', async () => {
    const kubernetes = new RecordedKubernetes();
    const cloud = startCloud({ kubernetes });
    await makeSecrets(cloud, 'uid-1');
    const { id: interfaceId, address } = await cloud.networks.reserveInterface({
      cluster: 'mgmt',
      uid: 'uid-1',
      region,
      name: 'server-0',
    });
    const agent = await launchNode(cloud, 'uid-1', { name: 'agent-0', serverAddress: address });
    await launchNode(cloud, 'uid-1', { name: 'server-1', serverAddress: address });
    await eventually(() => consoleOf(cloud, agent.id)).toContain(`k3s: waiting for https://${address}:6443`);
    expect(kubernetes.clusters.size).toBe(0);

    await launchNode(cloud, 'uid-1', { name: 'server-0', first: true, interfaceId });
    await eventually(() => kubernetes.nodesOf('uid-1')).toEqual([
      'mgmt-agent-0',
      'mgmt-server-0',
      'mgmt-server-1',
    ]);
  });

  it('keeps an agent waiting whose server address is that of no server', async () => {
    const kubernetes = new RecordedKubernetes();
    const cloud = startCloud({ kubernetes });
    await makeSecrets(cloud, 'uid-1');
    await launchNode(cloud, 'uid-1', { name: 'server-0', first: true });
    await eventually(() => kubernetes.nodesOf('uid-1')).toEqual(['mgmt-server-0']);
    const agent = await launchNode(cloud, 'uid-1', { name: 'agent-0', serverAddress: '10.0.15.250' });
    await eventually(() => consoleOf(cloud, agent.id)).toContain('waiting for https://10.0.15.250:6443');
    await sleep(30);
    expect(kubernetes.nodesOf('uid-1')).toEqual(['mgmt-server-0']);
  });

  it('writes more and more to the console', async () => {
    const cloud = startCloud({ speed: 200 });
    await makeSecrets(cloud, 'uid-1');
    const { id } = await launchNode(cloud, 'uid-1', { name: 'server-0', first: true });
    expect(await cloud.machines.consoleOutput(region, id)).toEqual([]);
    const lengths = new Set<number>();
    await eventually(async () => {
      const lines = await cloud.machines.consoleOutput(region, id);
      lengths.add(lines.length);
      return lines.at(-1);
    }).toContain('node mgmt-server-0 is registered');
    expect([...lengths]).toEqual([...lengths].sort((a, b) => a - b));
    expect(lengths.size).toBeGreaterThan(3);
  });

  it('never ends for user data without a node environment, and says so', async () => {
    const kubernetes = new RecordedKubernetes();
    const cloud = startCloud({ kubernetes });
    await makeSecrets(cloud, 'uid-1');
    const cases = [
      ['#!/bin/sh\n', 'user data is no #cloud-config'],
      ['#cloud-config\nruncmd: []\n', 'user data does not write /etc/petra/node.env'],
      ['#cloud-config\n{{{\n', 'user data does not write /etc/petra/node.env'],
      [
        '#cloud-config\nwrite_files:\n  - path: /etc/petra/node.env\n    content: PETRA_UID=uid-1\n',
        '/etc/petra/node.env lacks PETRA_NODE_ROLE',
      ],
    ] as const;
    for (const [index, [userData, complaint]] of cases.entries()) {
      const { id } = await launchNode(cloud, 'uid-1', { name: `server-${index}`, userData });
      await eventually(() => consoleOf(cloud, id)).toContain(complaint);
    }
    await sleep(40);
    expect(kubernetes.clusters.size).toBe(0);
  });

  it('never ends without the token secret, and says so', async () => {
    const kubernetes = new RecordedKubernetes();
    const cloud = startCloud({ kubernetes });
    const { id } = await launchNode(cloud, 'uid-1', { name: 'server-0', first: true });
    await eventually(() => consoleOf(cloud, id)).toContain(
      "Secrets Manager can't find petra/uid-1/join-token",
    );
    await makeSecrets(cloud, 'uid-1');
    await sleep(40);
    expect(kubernetes.clusters.size).toBe(0);
  });

  it('waits for the kubeconfig secret, which machines may not make', async () => {
    const cloud = startCloud({});
    const { cluster, uid } = { cluster: 'mgmt', uid: 'uid-1' };
    await cloud.secrets.put({ name: 'petra/uid-1/join-token', cluster, uid, value: 'token' });
    const { id } = await launchNode(cloud, uid, { name: 'server-0', first: true });
    await eventually(() => consoleOf(cloud, id)).toContain("can't find petra/uid-1/kubeconfig");
    await cloud.secrets.put({ name: 'petra/uid-1/kubeconfig', cluster, uid, value: '' });
    await eventually(() => cloud.secrets.read('petra/uid-1/kubeconfig')).toContain('https://');
  });

  it('waits under the fault boot:never, and goes on without it', async () => {
    const disk = Disk.inMemory();
    const kubernetes = new RecordedKubernetes();
    const faulty = startCloud({ disk, kubernetes, faults: ['boot:never'] });
    await makeSecrets(faulty, 'uid-1');
    const { id } = await launchNode(faulty, 'uid-1', { name: 'server-0', first: true });
    await eventually(() => consoleOf(faulty, id)).toContain('fault boot:never');
    await sleep(40);
    expect(kubernetes.clusters.size).toBe(0);
    await faulty.stop();
    startCloud({ disk, kubernetes });
    await eventually(() => kubernetes.nodesOf('uid-1')).toEqual(['mgmt-server-0']);
  });

  it('takes ten times as long under the fault boot:slow', async () => {
    const kubernetes = new RecordedKubernetes();
    const cloud = startCloud({ kubernetes, faults: ['boot:slow'] });
    await makeSecrets(cloud, 'uid-1');
    const started = Date.now();
    await launchNode(cloud, 'uid-1', { name: 'server-0', first: true });
    await eventually(() => kubernetes.nodesOf('uid-1')).toEqual(['mgmt-server-0']);
    expect(Date.now() - started).toBeGreaterThanOrEqual(320);
  });

  it('repeats what Kubernetes refused until it succeeds', async () => {
    const kubernetes = new RecordedKubernetes();
    kubernetes.failure = 'out of order';
    const cloud = startCloud({ kubernetes });
    await makeSecrets(cloud, 'uid-1');
    await launchNode(cloud, 'uid-1', { name: 'server-0', first: true });
    await sleep(60);
    expect(kubernetes.clusters.size).toBe(0);
    kubernetes.failure = undefined;
    await eventually(() => kubernetes.nodesOf('uid-1')).toEqual(['mgmt-server-0']);
  });

  it('is not held up by another cluster that cannot boot', async () => {
    const kubernetes = new RecordedKubernetes();
    kubernetes.failingCluster = 'uid-1';
    const cloud = startCloud({ kubernetes });
    for (const uid of ['uid-1', 'uid-2']) {
      await makeSecrets(cloud, uid);
      await launchNode(cloud, uid, { name: 'server-0', first: true });
    }
    await eventually(() => kubernetes.nodesOf('uid-2')).toEqual(['mgmt-server-0']);
    expect(kubernetes.nodesOf('uid-1')).toEqual([]);
  });
});

describe('the end of simulated machines', () => {
  async function clusterOfTwo(kubernetes: RecordedKubernetes, disk = Disk.inMemory()) {
    const cloud = startCloud({ kubernetes, disk });
    await makeSecrets(cloud, 'uid-1');
    const server = await launchNode(cloud, 'uid-1', { name: 'server-0', first: true });
    const agent = await launchNode(cloud, 'uid-1', { name: 'agent-0', serverAddress: server.address });
    await eventually(() => kubernetes.nodesOf('uid-1')).toEqual(['mgmt-agent-0', 'mgmt-server-0']);
    return { cloud, server, agent };
  }

  it('removes their nodes', async () => {
    const kubernetes = new RecordedKubernetes();
    const { cloud, agent } = await clusterOfTwo(kubernetes);
    await cloud.machines.terminate(region, [agent.id]);
    await eventually(() => kubernetes.nodesOf('uid-1')).toEqual(['mgmt-server-0']);
  });

  it('removes the API with the last server', async () => {
    const kubernetes = new RecordedKubernetes();
    const { cloud, server } = await clusterOfTwo(kubernetes);
    await cloud.machines.terminate(region, [server.id]);
    await eventually(() => kubernetes.clusters.size).toBe(0);
  });

  it('is completed by the next process', async () => {
    const disk = Disk.inMemory();
    const kubernetes = new RecordedKubernetes();
    const { cloud, server, agent } = await clusterOfTwo(kubernetes, disk);
    await cloud.stop();
    await cloud.machines.terminate(region, [server.id, agent.id]);
    expect(kubernetes.clusters.size).toBe(1);
    startCloud({ disk, kubernetes });
    await eventually(() => kubernetes.clusters.size).toBe(0);
  });

  it('is forgotten after a simulated hour', async () => {
    const disk = Disk.inMemory();
    const cloud = startCloud({ disk, speed: 50_000 });
    const { id } = await launchNode(cloud, 'uid-1', { name: 'server-0', first: true });
    await cloud.machines.terminate(region, [id]);
    await eventually(() => [...disk.collection('cloud.machines').entries()]).toEqual([]);
    expect([...disk.collection('cloud.boots').entries()]).toEqual([]);
  });
});

describe('a restarted simulation', () => {
  it('stores the kubeconfig again where the API moved to another port', async () => {
    const disk = Disk.inMemory();
    const kubernetes = new RecordedKubernetes();
    const cloud = startCloud({ disk, kubernetes });
    await makeSecrets(cloud, 'uid-1');
    await launchNode(cloud, 'uid-1', { name: 'server-0', first: true });
    await eventually(() => kubernetes.nodesOf('uid-1')).toEqual(['mgmt-server-0']);
    await cloud.stop();

    kubernetes.port = 7443;
    const restarted = startCloud({ disk, kubernetes });
    await eventually(() => restarted.secrets.read('petra/uid-1/kubeconfig')).toBe(
      'server: https://127.0.0.1:7443/uid-1',
    );
  });

  it('does not bring back a secret that was removed', async () => {
    const disk = Disk.inMemory();
    const kubernetes = new RecordedKubernetes();
    const cloud = startCloud({ disk, kubernetes });
    await makeSecrets(cloud, 'uid-1');
    await launchNode(cloud, 'uid-1', { name: 'server-0', first: true });
    await eventually(() => kubernetes.nodesOf('uid-1')).toEqual(['mgmt-server-0']);
    await cloud.stop();
    await cloud.secrets.remove('petra/uid-1/kubeconfig');

    const restarted = startCloud({ disk, kubernetes });
    await sleep(30);
    expect(await restarted.secrets.list('uid-1')).toEqual(['petra/uid-1/join-token']);
  });
});
