import { request as openRequest } from 'node:https';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { HttpsConnection } from '../../adapters/https-connection.ts';
import { issueCertificate, type KeyPair, makeAuthority } from '../../local/kubernetes/certificates.ts';
import type { ClusterAuthorities, K3sMachine } from './k3s-machine.ts';
import { startSimulatedWorkloadApi } from './simulated-workload-api.ts';
import type { WorkloadApi } from './workload-api.ts';
import { WorkloadNodes } from './workload-nodes.ts';

const instance = {
  id: 'i-1',
  region: 'us-west-1',
  availabilityZone: 'us-west-1a',
  privateAddress: '10.0.0.7',
  hostName: 'ip-10-0-0-7.us-west-1.compute.internal',
  instanceType: 'm5a.large',
  architecture: 'amd64',
} as const;

const machine: K3sMachine = {
  role: 'server',
  isFirst: true,
  version: 'v1.35.3+k3s1',
  nodeName: instance.hostName,
  token: 'secret',
  server: undefined,
  apiNames: ['127.0.0.1'],
  apiServer: { args: [], files: new Map() },
  labels: { 'node-role.kubernetes.io/master': 'true' },
  taints: [],
  waitsForCloud: true,
  hasFlannel: false,
  charts: [],
  authorities: undefined,
  problems: [],
};

describe('the API of a stand-in workload cluster', () => {
  let authorities: ClusterAuthorities;
  let api: WorkloadApi;
  let nodes: WorkloadNodes;
  beforeEach(async () => {
    const [server, client, etcd] = await Promise.all(
      // All of one name, as the k3s provider makes them.
      [1, 2, 3].map(() => makeAuthority('CN=kubernetes')),
    );
    if (!server || !client || !etcd) throw new Error('three authorities were asked for');
    authorities = { server, client, etcd };
    api = await startSimulatedWorkloadApi({
      cluster: 'one',
      address: '127.0.0.1',
      port: 0,
      version: machine.version,
      authorities,
      names: machine.apiNames,
      settings: machine.apiServer,
    });
    nodes = await WorkloadNodes.connect(api.url, authorities);
  });
  afterEach(async () => {
    await api?.stop();
  });

  async function administrator(authority: KeyPair): Promise<HttpsConnection> {
    const identity = await issueCertificate({ subject: 'CN=kubernetes-admin, O=system:masters' }, authority);
    const trusted = { authority: authorities.server.certificate, skipVerification: false };
    return new HttpsConnection({ server: new URL(api.url), ...trusted, ...identity });
  }

  async function read(path: string): Promise<unknown> {
    const connection = await administrator(authorities.client);
    const answer = await connection.send({ method: 'GET', path });
    return { code: answer.code, ...JSON.parse(answer.text) };
  }

  const nodePath = `/api/v1/nodes/${machine.nodeName}`;

  it('shows a machine as a Ready Node that is tied to its instance', async () => {
    await nodes.join(machine, instance, { hasNetwork: true, hasCloudController: true });
    expect(await read(nodePath)).toMatchObject({
      metadata: {
        labels: {
          'node-role.kubernetes.io/control-plane': 'true',
          'node-role.kubernetes.io/master': 'true',
          'topology.kubernetes.io/zone': 'us-west-1a',
        },
      },
      spec: { providerID: 'aws:///us-west-1a/i-1', taints: [] },
      status: {
        conditions: expect.arrayContaining([expect.objectContaining({ type: 'Ready', status: 'True' })]),
        nodeInfo: { kubeletVersion: 'v1.35.3+k3s1' },
      },
    });
  });

  it('lists the volumes of a Node, for which Cluster API waits before it deletes a machine', async () => {
    expect(await read('/apis/storage.k8s.io/v1/volumeattachments')).toMatchObject({
      code: 200,
      kind: 'VolumeAttachmentList',
      items: [],
    });
  });

  it('ties no Node whose name is not the one that the cloud controller manager looks for', async () => {
    const misnamed = { ...machine, nodeName: 'other' };
    await nodes.join(misnamed, instance, { hasNetwork: true, hasCloudController: true });
    const node = await read('/api/v1/nodes/other');
    expect(node).toMatchObject({
      spec: { taints: [{ key: 'node.cloudprovider.kubernetes.io/uninitialized', effect: 'NoSchedule' }] },
    });
    expect(JSON.stringify(node)).not.toContain('aws:///');
  });

  it('leaves a Node that has no network unready', async () => {
    await nodes.join(machine, instance, { hasNetwork: false, hasCloudController: true });
    expect(await read(nodePath)).toMatchObject({
      status: {
        conditions: expect.arrayContaining([expect.objectContaining({ type: 'Ready', status: 'False' })]),
      },
    });
  });

  it('lets a machine join, and leave, twice', async () => {
    const parts = { hasNetwork: true, hasCloudController: true };
    await nodes.join(machine, instance, parts);
    await nodes.join(machine, instance, parts);
    await nodes.leave(machine.nodeName);
    await nodes.leave(machine.nodeName);
    expect(await read(nodePath)).toMatchObject({ code: 404 });
  });

  it('says that the control plane is initialised by a Secret', async () => {
    await nodes.tellInitialized();
    expect(await read('/api/v1/namespaces/kube-system/secrets/k3s-serving')).toMatchObject({ code: 200 });
  });

  it('admits nobody whose certificate is of another authority, or who has none', async () => {
    const stranger = await administrator(authorities.server);
    expect((await stranger.send({ method: 'GET', path: '/api/v1/nodes' })).code).toBe(401);
    const code = await new Promise((resolve, reject) => {
      const ca = authorities.server.certificate;
      openRequest(`${api.url}/api/v1/nodes`, { ca }, (response) => resolve(response.resume().statusCode))
        .on('error', reject)
        .end();
    });
    expect(code).toBe(401);
  });
});
