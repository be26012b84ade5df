// User data of workload machines as the real k3s bootstrap provider renders it. The machines are asked for by hand, on a
// Cluster without infrastructure, which Cluster API takes for ready: no AWS is needed, and the provider sees no difference.

import { randomBytes } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { at, recordAt, textAt } from '../../core/json-fields.ts';
import type { KubernetesObject } from '../../core/ports.ts';
import { isConditionTrue } from '../../local/controllers/conditions.ts';
import { ApiRequests } from './api-requests.ts';
import type { TopologyPlan } from './topology-plan.ts';
import { eventually, type Trial } from './trial-namespace.ts';

export type MachineKind = 'first server' | 'joining server' | 'agent';

export type RenderedUserData = Readonly<Record<MachineKind, string>>;

const api = {
  cluster: 'cluster.x-k8s.io/v1beta1',
  bootstrap: 'bootstrap.cluster.x-k8s.io/v1beta2',
  infrastructure: 'infrastructure.cluster.x-k8s.io/v1beta2',
} as const;

/** As long as the DNS name of a network load balancer is: a name of 32, a hash of 16, the region. */
const endpoint = `${'n'.repeat(32)}-${'0'.repeat(16)}.elb.ap-northeast-1.amazonaws.com`;

/** Machines of the cluster that a plan made, as they would be sent to AWS. Removes what it needed. */
export async function renderUserData(
  trial: Trial & { readonly kubeconfig: string },
  cluster: KubernetesObject,
  plan: TopologyPlan,
): Promise<RenderedUserData> {
  const { kubernetes, namespace } = trial;
  const { name } = cluster.metadata;
  const version = textAt(cluster, 'spec', 'topology', 'version') ?? '';
  const servers = specOf(plan, 'KThreesControlPlane', 'spec', 'kthreesConfigSpec');
  const agents = specOf(plan, 'KThreesConfigTemplate', 'spec', 'template', 'spec');
  const reference = { apiVersion: api.cluster, kind: 'Cluster', name, namespace };
  await kubernetes.apply({
    ...kindOf(reference),
    metadata: { name, namespace },
    spec: {
      clusterNetwork: at(cluster, 'spec', 'clusterNetwork'),
      controlPlaneEndpoint: { host: endpoint, port: 6443 },
    },
  });
  await kubernetes.apply(joinToken(namespace, name));
  const machine = (suffix: string, spec: Readonly<Record<string, unknown>>, isServer: boolean) =>
    bootstrap(trial, { cluster: name, name: `${name}-${suffix}`, version, spec, isServer });
  try {
    const first = await machine('first', servers, true);
    await markJoined(trial, `${name}-first`);
    await eventually('the control plane is initialized', async () =>
      isConditionTrue(await kubernetes.read(reference), 'ControlPlaneInitialized'),
    );
    const [joining, agent] = await Promise.all([
      machine('joining', servers, true),
      machine('agent', agents, false),
    ]);
    return { 'first server': first, 'joining server': joining, agent };
  } finally {
    await kubernetes.remove(reference);
    await eventually(
      'the trial cluster is gone',
      async () => (await kubernetes.read(reference)) === undefined,
    );
  }
}

/** As CAPA compresses it (v2.7.2, userdata.GzipBytes): gzip's default level; EC2 counts these bytes, before base64. */
export function sentBytes(userData: string): number {
  return gzipSync(userData).length;
}

/** Made by the control-plane provider for a control plane, which these machines are without (v0.3.1, pkg/token). */
function joinToken(namespace: string, cluster: string): KubernetesObject {
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {
      name: `${cluster}-token`,
      namespace,
      labels: { 'cluster.x-k8s.io/cluster-name': cluster },
    },
    type: 'cluster.x-k8s.io/secret',
    data: { value: Buffer.from(randomBytes(16).toString('hex')).toString('base64') },
  };
}

interface WantedMachine {
  readonly cluster: string;
  readonly name: string;
  readonly version: string;
  /** Of its KThreesConfig. */
  readonly spec: Readonly<Record<string, unknown>>;
  readonly isServer: boolean;
}

/** Asks for a machine, and waits for its user data. */
async function bootstrap(
  { kubernetes, namespace }: Trial,
  { cluster, name, version, spec, isServer }: WantedMachine,
): Promise<string> {
  const labels = {
    'cluster.x-k8s.io/cluster-name': cluster,
    ...(isServer && { 'cluster.x-k8s.io/control-plane': '' }),
  };
  const config = { apiVersion: api.bootstrap, kind: 'KThreesConfig', name, namespace };
  await kubernetes.apply({ ...kindOf(config), metadata: { name, namespace, labels }, spec });
  await kubernetes.apply({
    apiVersion: api.cluster,
    kind: 'Machine',
    metadata: { name, namespace, labels },
    spec: {
      clusterName: cluster,
      version,
      bootstrap: { configRef: config },
      // Nobody makes it, so the machine stays where it waits for its instance.
      infrastructureRef: { apiVersion: api.infrastructure, kind: 'AWSMachine', name, namespace },
    },
  });
  const secret = { apiVersion: 'v1', kind: 'Secret', name, namespace };
  await eventually(`${name} has user data`, async () => (await kubernetes.read(secret)) !== undefined);
  const value = textAt(await kubernetes.read(secret), 'data', 'value') ?? '';
  return Buffer.from(value, 'base64').toString('utf8');
}

/** As Cluster API does once it finds the machine's Node: the cluster then takes others that join. */
async function markJoined(
  { kubeconfig, namespace }: Trial & { readonly kubeconfig: string },
  name: string,
): Promise<void> {
  await ApiRequests.of(kubeconfig, 'trial').merge(
    `/apis/${api.cluster}/namespaces/${namespace}/machines/${name}/status`,
    {
      status: { nodeRef: { apiVersion: 'v1', kind: 'Node', name } },
    },
  );
}

function kindOf({ apiVersion, kind }: { readonly apiVersion: string; readonly kind: string }) {
  return { apiVersion, kind };
}

function specOf(plan: TopologyPlan, kind: string, ...path: readonly string[]) {
  return recordAt(
    plan.created.find((object) => object.kind === kind),
    ...path,
  );
}
