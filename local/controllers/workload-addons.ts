// What runs inside a workload cluster after its first server booted: the parts of k3s itself and the charts that it
// deploys. Simulated: the workloads by their true names, from known charts. Not simulated: charts, values, images.

import { textAt } from '../../core/json-fields.ts';
import type { KubernetesObject } from '../../core/ports.ts';
import type { ObjectStore } from '../kubernetes/object-store.ts';
import { simulatedTls } from './cert-manager.ts';
import type { K3sSetup } from './k3s-config.ts';
import { kinds } from './kinds.ts';
import { ensureObject } from './writes.ts';

interface Workload {
  readonly kind: 'Deployment' | 'DaemonSet';
  readonly name: string;
  readonly image: string;
  readonly onServers?: true;
  /** Runs before Nodes are Ready. */
  readonly toleratesAll?: true;
}

/** What known charts install, by the name of the chart. */
const chartWorkloads: ReadonlyMap<string, readonly Workload[]> = new Map(
  Object.entries({
    cilium: [
      { kind: 'DaemonSet', name: 'cilium', image: 'quay.io/cilium/cilium' },
      { kind: 'DaemonSet', name: 'cilium-envoy', image: 'quay.io/cilium/cilium-envoy' },
      {
        kind: 'Deployment',
        name: 'cilium-operator',
        image: 'quay.io/cilium/operator-generic',
        toleratesAll: true,
      },
    ],
    flux2: [
      { kind: 'Deployment', name: 'helm-controller', image: 'ghcr.io/fluxcd/helm-controller' },
      { kind: 'Deployment', name: 'kustomize-controller', image: 'ghcr.io/fluxcd/kustomize-controller' },
      {
        kind: 'Deployment',
        name: 'notification-controller',
        image: 'ghcr.io/fluxcd/notification-controller',
      },
      { kind: 'Deployment', name: 'source-controller', image: 'ghcr.io/fluxcd/source-controller' },
    ],
    'aws-cloud-controller-manager': [
      {
        kind: 'DaemonSet',
        name: 'aws-cloud-controller-manager',
        image: 'registry.k8s.io/provider-aws/cloud-controller-manager',
        onServers: true,
      },
    ],
  } satisfies Record<string, readonly Workload[]>),
);

/** Parts of k3s, by the name that `disableComponents` knows them by; `etcd-proxy` is the k3s provider's. */
const k3sWorkloads: Readonly<Record<string, readonly Workload[]>> = {
  coredns: [{ kind: 'Deployment', name: 'coredns', image: 'rancher/mirrored-coredns-coredns' }],
  'local-storage': [
    { kind: 'Deployment', name: 'local-path-provisioner', image: 'rancher/local-path-provisioner' },
  ],
  'metrics-server': [
    { kind: 'Deployment', name: 'metrics-server', image: 'rancher/mirrored-metrics-server' },
  ],
  traefik: [{ kind: 'Deployment', name: 'traefik', image: 'rancher/mirrored-library-traefik' }],
  'etcd-proxy': [{ kind: 'DaemonSet', name: 'etcd-proxy', image: 'alpine/socat', onServers: true }],
};

/** Whether one of the charts brings a network plug-in, so that Nodes can become Ready. */
export function bringsNetwork(setup: K3sSetup): boolean {
  return setup.hasFlannel || setup.charts.some((chart) => chartName(chart) === 'cilium');
}

/** Whether Nodes will get their provider id. */
export function bringsCloudController(setup: K3sSetup): boolean {
  return (
    !setup.needsCloudController ||
    setup.charts.some((chart) => chartName(chart) === 'aws-cloud-controller-manager')
  );
}

/** Installs what k3s on the first server would. Safe to repeat. */
export async function installAddons(store: ObjectStore, setup: K3sSetup): Promise<void> {
  // The control-plane provider takes a cluster as initialised when it sees this Secret.
  await ensureObject(store, {
    ...kinds.secret,
    metadata: { name: 'k3s-serving', namespace: 'kube-system' },
    type: 'kubernetes.io/tls',
    data: simulatedTls('k3s-serving'),
  });
  for (const [part, workloads] of Object.entries(k3sWorkloads)) {
    if (setup.disabled.includes(part)) continue;
    for (const workload of workloads) await ensureObject(store, newWorkload('kube-system', workload));
  }
  await ensureObject(store, helmChartDefinition);
  for (const chart of setup.charts) await installChart(store, chart);
}

async function installChart(store: ObjectStore, chart: KubernetesObject): Promise<void> {
  const namespace = chart.metadata.namespace ?? 'kube-system';
  const target = textAt(chart, 'spec', 'targetNamespace') ?? namespace;
  await ensureObject(store, { ...kinds.namespace, metadata: { name: target } });
  await ensureObject(store, { ...chart, metadata: { ...chart.metadata, namespace } });
  for (const workload of chartWorkloads.get(chartName(chart)) ?? []) {
    await ensureObject(store, newWorkload(target, workload));
  }
}

/** A chart's name without the repository: `oci://registry/charts/cilium` is `cilium` too. */
function chartName(chart: KubernetesObject): string {
  return (textAt(chart, 'spec', 'chart') ?? chart.metadata.name).split('/').at(-1) ?? '';
}

function newWorkload(
  namespace: string,
  { kind, name, image, onServers, toleratesAll }: Workload,
): KubernetesObject {
  const labels = { 'app.kubernetes.io/name': name };
  const pod = {
    containers: [{ name, image }],
    ...(toleratesAll ? { tolerations: [{ operator: 'Exists' }] } : {}),
    ...(onServers ? { nodeSelector: { 'node-role.kubernetes.io/control-plane': 'true' } } : {}),
  };
  return {
    ...(kind === 'Deployment' ? kinds.deployment : kinds.daemonSet),
    metadata: { name, namespace, labels },
    spec: { selector: { matchLabels: labels }, template: { metadata: { labels }, spec: pod } },
  };
}

/** The definition of k3s's own HelmChart, open for any field. */
const helmChartDefinition: KubernetesObject = {
  ...kinds.crd,
  metadata: { name: 'helmcharts.helm.cattle.io' },
  spec: {
    group: 'helm.cattle.io',
    names: { kind: 'HelmChart', listKind: 'HelmChartList', plural: 'helmcharts', singular: 'helmchart' },
    scope: 'Namespaced',
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        schema: {
          openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
        },
        subresources: { status: {} },
        additionalPrinterColumns: [
          { name: 'Chart', type: 'string', jsonPath: '.spec.chart' },
          { name: 'Version', type: 'string', jsonPath: '.spec.version' },
          { name: 'TargetNamespace', type: 'string', jsonPath: '.spec.targetNamespace' },
        ],
      },
    ],
  },
};
