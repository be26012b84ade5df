// A management cluster with its simulated controllers, for tests: an in-memory store, time sped up, and Petra's own
// rendering of the synthetic releases.

import { certManagerObjects } from '../../core/capi/cert-manager.ts';
import { renderProvider } from '../../core/capi/provider-components.ts';
import { certManagerRelease, providersFor, providerVariables } from '../../core/capi/providers.ts';
import { renderClusterClass } from '../../core/capi/render-cluster-class.ts';
import { at, isTrueAt, listAt, textAt } from '../../core/json-fields.ts';
import type { KubernetesObject } from '../../core/ports.ts';
import { addNode } from '../../local/controllers/nodes.ts';
import { startControllers } from '../../local/controllers/start-controllers.ts';
import { Disk } from '../../local/disk.ts';
import { ObjectStore } from '../../local/kubernetes/object-store.ts';
import { Pace } from '../../local/pace.ts';
import { SyntheticReleases } from '../../local/synthetic-releases.ts';

const versions = {
  capiVersion: 'v1.9.5',
  capaVersion: 'v2.7.2',
  cabpK3sVersion: 'v0.3.1',
  cacpK3sVersion: 'v0.3.1',
  certManagerVersion: 'v1.17.1',
};

export interface Testbed {
  readonly store: ObjectStore;
  /** Ids of what exists on AWS, by region, with type and tags. */
  readonly cloud: Map<string, { readonly type: string; readonly tags: Readonly<Record<string, string>> }>;
  /** Every id that was ever added. */
  readonly made: Set<string>;
  readonly faults: Set<string>;
  readonly logged: string[];
  workload(cluster: string): ObjectStore | undefined;
  /** Lets the controllers write nothing more, as if their process was killed. */
  kill(): Promise<void>;
  /** Starts others on what is stored. */
  revive(): void;
  stop(): Promise<void>;
}

/** Controllers on an empty store: one of their own, or one that is also served. */
export function startTestbed(
  options: { readonly speed?: number; readonly store?: ObjectStore } = {},
): Testbed {
  const disk = Disk.inMemory();
  const store = options.store ?? ObjectStore.open(disk, 'management');
  const workloads = new Map<string, ObjectStore>();
  const cloud: Testbed['cloud'] = new Map();
  const made = new Set<string>();
  const faults = new Set<string>();
  const logged: string[] = [];
  const start = () =>
    startControllers({
      store,
      cluster: { id: 'management', name: 'management', region: 'us-west-1' },
      pace: new Pace(options.speed ?? 2000),
      workloads: {
        ensure: async (id, { name }) => {
          const workload = workloads.get(id) ?? ObjectStore.open(disk, id);
          if (!workloads.has(id)) await prepare(workload);
          workloads.set(id, workload);
          return { store: workload, kubeconfig: `kubeconfig of ${name}` };
        },
        remove: async (id) => {
          workloads.delete(id);
        },
      },
      cloud: {
        add: async (region, type, id, tags) => {
          cloud.set(`${region}/${id}`, { type, tags });
          made.add(id);
        },
        remove: async (region, id) => {
          cloud.delete(`${region}/${id}`);
        },
      },
      faults: { active: (target) => (faults.has(target) ? '' : undefined) },
      log: (line) => logged.push(line),
    });
  let controllers = start();
  return {
    store,
    cloud,
    made,
    faults,
    logged,
    workload: (name) => workloads.get(read(store, clusterKind, name)?.metadata.uid ?? ''),
    kill: async () => {
      const killed = () => Promise.reject(new Error('killed'));
      const writes = ['create', 'update', 'updateStatus', 'apply', 'remove'] as const;
      for (const write of writes) Object.assign(store, { [write]: killed });
      await controllers.stop();
      for (const write of writes) Reflect.deleteProperty(store, write);
    },
    revive: () => {
      controllers = start();
    },
    stop: async () => {
      await controllers.stop();
      store.close();
    },
  };
}

/** What a cluster has before anyone uses it. */
export async function prepare(store: ObjectStore): Promise<void> {
  for (const name of ['default', 'kube-system']) {
    if (!store.get('v1', 'Namespace', undefined, name)) {
      await store.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
    }
  }
}

export const managementNode = {
  name: 'ip-10-0-0-4',
  role: 'server',
  address: '10.0.0.4',
  providerId: 'aws:///us-west-1a/i-01',
  version: 'v1.35.3+k3s1',
  instanceType: 'm5a.large',
  zone: 'us-west-1a',
} as const;

/** A Node, cert-manager, the four providers and the ClusterClass, each awaited before the next. */
export async function install(store: ObjectStore): Promise<void> {
  await prepare(store);
  await addNode(store, managementNode);
  await installCertManager(store);
  for (const { objects } of await providerReleases()) {
    await applyAll(store, objects);
    await untilAvailable(store, objects);
  }
  await applyAll(store, renderClusterClass());
}

export async function installCertManager(store: ObjectStore): Promise<void> {
  const release = certManagerRelease(versions.certManagerVersion);
  const objects = certManagerObjects(await new SyntheticReleases().fetch(release), release.version);
  await applyAll(store, objects);
  await untilAvailable(store, objects);
}

/** The providers in the order of their installation. */
export async function providerReleases(variables: Readonly<Record<string, string>> = {}) {
  const releases = new SyntheticReleases();
  return Promise.all(
    providersFor(versions).map(async ({ provider, version, components }) => ({
      provider,
      objects: renderProvider({
        provider,
        version,
        yaml: await releases.fetch(components),
        variables: { ...providerVariables, ...variables },
      }),
    })),
  );
}

export async function applyAll(store: ObjectStore, objects: readonly KubernetesObject[]): Promise<void> {
  for (const object of objects) await store.apply(object, { fieldManager: 'petra', force: true });
}

async function untilAvailable(store: ObjectStore, objects: readonly KubernetesObject[]): Promise<void> {
  const names = objects.filter(({ kind }) => kind === 'Deployment').map(({ metadata }) => metadata);
  await until(() =>
    names.every(({ name, namespace }) => {
      const deployment = store.get('apps/v1', 'Deployment', namespace, name);
      return listAt(deployment, 'status', 'conditions').some(
        (condition) => at(condition, 'type') === 'Available' && at(condition, 'status') === 'True',
      );
    }),
  );
  // The CA comes a moment after the Deployment.
  await until(() =>
    objects
      .filter(({ kind }) => kind.endsWith('WebhookConfiguration'))
      .map(({ apiVersion, kind, metadata }) => store.get(apiVersion, kind, undefined, metadata.name))
      .flatMap((configuration) => listAt(configuration, 'webhooks'))
      .every((webhook) => textAt(webhook, 'clientConfig', 'caBundle') !== undefined),
  );
}

export async function until(isTrue: () => boolean, seconds = 20): Promise<void> {
  const limit = Date.now() + seconds * 1000;
  while (!isTrue()) {
    if (Date.now() > limit) throw new Error(`not within ${seconds} s: ${isTrue}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

export const clusterKind = { apiVersion: 'cluster.x-k8s.io/v1beta1', kind: 'Cluster' };

/** A Cluster of the class `petra`. */
export function newCluster(
  name: string,
  options: { readonly servers?: number; readonly workers?: number; readonly version?: string } = {},
): KubernetesObject {
  return {
    ...clusterKind,
    metadata: { name, namespace: 'default' },
    spec: {
      topology: {
        class: 'petra',
        version: options.version ?? 'v1.35.3+k3s1',
        controlPlane: { replicas: options.servers ?? 1 },
        workers: {
          machineDeployments: [{ class: 'default-worker', name: 'md-0', replicas: options.workers ?? 2 }],
        },
        variables: [
          { name: 'region', value: 'us-west-1' },
          { name: 'uid', value: 'f00d' },
        ],
      },
    },
  };
}

export async function applyCluster(
  store: ObjectStore,
  ...cluster: Parameters<typeof newCluster>
): Promise<KubernetesObject> {
  return store.apply(newCluster(...cluster), { fieldManager: 'petra', force: true });
}

export function read(
  store: ObjectStore,
  { apiVersion, kind }: { readonly apiVersion: string; readonly kind: string },
  name: string,
): KubernetesObject | undefined {
  return store.get(apiVersion, kind, 'default', name);
}

/** The true end condition: cluster-api's phase says nothing about workers. */
export function isReady(store: ObjectStore, name: string): boolean {
  const cluster = read(store, clusterKind, name);
  const [deployment] = store.list('cluster.x-k8s.io/v1beta1', 'MachineDeployment', {
    labelSelector: `cluster.x-k8s.io/cluster-name=${name}`,
  });
  const [controlPlane] = store.list('controlplane.cluster.x-k8s.io/v1beta2', 'KThreesControlPlane', {
    labelSelector: `cluster.x-k8s.io/cluster-name=${name}`,
  });
  return (
    textAt(cluster, 'status', 'phase') === 'Provisioned' &&
    isTrueAt(cluster, 'status', 'controlPlaneReady') &&
    conditionStatus(cluster, 'Ready') === 'True' &&
    conditionStatus(cluster, 'TopologyReconciled') === 'True' &&
    controlPlane !== undefined &&
    at(controlPlane, 'status', 'readyReplicas') === at(controlPlane, 'spec', 'replicas') &&
    deployment !== undefined &&
    at(deployment, 'status', 'readyReplicas') === at(deployment, 'spec', 'replicas') &&
    at(deployment, 'status', 'replicas') === at(deployment, 'spec', 'replicas') &&
    at(deployment, 'status', 'observedGeneration') === deployment.metadata.generation
  );
}

export function conditionStatus(object: unknown, type: string): string | undefined {
  return textAt(conditionOf(object, type), 'status');
}

export function conditionOf(object: unknown, type: string): unknown {
  return listAt(object, 'status', 'conditions').find((condition) => textAt(condition, 'type') === type);
}
