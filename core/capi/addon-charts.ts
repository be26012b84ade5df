// What is installed into a cluster as Helm charts, by k3s itself: it applies every file of its manifests folder, and its
// helm-controller installs each HelmChart found there. Works before there is a CNI, and without the management cluster.

import { podCidr } from './cluster-network.ts';
import type { NodeFile } from './node-file.ts';
import { yamlText } from './yaml-text.ts';

interface ChartSource {
  readonly repo: string;
  readonly chart: string;
  readonly version: string;
}

/**
 * Every chart and its version, in one place. Checked 2026-11-23: flux2 and the cloud controller manager in the `index.yaml`
 * of their chart repositories; cilium by the releases that update bots picked up. All three are built for Kubernetes 1.35.
 */
const chartSources = {
  cilium: { repo: 'https://helm.cilium.io', chart: 'cilium', version: '1.19.5' },
  cloudControllerManager: {
    repo: 'https://kubernetes.github.io/cloud-provider-aws',
    chart: 'aws-cloud-controller-manager',
    version: '0.0.11',
  },
  flux: { repo: 'https://fluxcd-community.github.io/helm-charts', chart: 'flux2', version: '2.18.3' },
} as const satisfies Record<string, ChartSource>;

/** k3s applies every file in it, and tries again those that it cannot apply yet. */
export const manifestsFolder = '/var/lib/rancher/k3s/server/manifests';

/**
 * Cilium as CNI and in place of kube-proxy. It reaches the API through k3s' own load balancer, which listens on
 * 127.0.0.1:6444 of servers and agents alike, since the Service address works only once cilium does.
 */
export function ciliumManifest(): NodeFile {
  return chartFile('cilium', chartSources.cilium, {
    bootstrap: true,
    targetNamespace: 'kube-system',
    values: {
      kubeProxyReplacement: true,
      k8sServiceHost: '127.0.0.1',
      k8sServicePort: 6444,
      ipam: { mode: 'cluster-pool', operator: { clusterPoolIPv4PodCIDRList: [podCidr] } },
      // One, whatever the number of nodes: a count that followed the control plane would be part of its user data,
      // so that scaling from one server to three would first replace the one.
      operator: { replicas: 1 },
    },
  });
}

/**
 * The AWS cloud controller manager: gives each Node its providerID, without which no Machine ever finds its Node, and
 * takes the `uninitialized` taint off. It must run before anything else can, hence the tolerations.
 */
export function cloudControllerManagerManifest(clusterName: string): NodeFile {
  return chartFile('aws-cloud-controller-manager', chartSources.cloudControllerManager, {
    bootstrap: true,
    targetNamespace: 'kube-system',
    values: {
      args: [
        '--v=2',
        '--cloud-provider=aws',
        `--cluster-name=${clusterName}`,
        // Pods are reached through the CNI's tunnel, not through routes of the VPC.
        '--configure-cloud-routes=false',
      ],
      hostNetworking: true,
      // k3s labels its servers with the value "true"; the chart selects an empty one.
      nodeSelector: { 'node-role.kubernetes.io/control-plane': 'true' },
      tolerations: [
        { key: 'node.cloudprovider.kubernetes.io/uninitialized', operator: 'Exists', effect: 'NoSchedule' },
        { key: 'node-role.kubernetes.io/control-plane', operator: 'Exists', effect: 'NoSchedule' },
        { key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoSchedule' },
      ],
    },
  });
}

/** Flux' controllers, without any source: what they deploy is for the cluster's owner to say. */
export function fluxManifest(): NodeFile {
  return chartFile('flux', chartSources.flux, {
    bootstrap: false,
    targetNamespace: 'flux-system',
    values: undefined,
  });
}

interface ChartInstall {
  /** Run the install job on the host's network, through 127.0.0.1, on nodes that are not ready yet (helm-controller's chart.go). */
  readonly bootstrap: boolean;
  readonly targetNamespace: string;
  readonly values: Readonly<Record<string, unknown>> | undefined;
}

function chartFile(name: string, source: ChartSource, install: ChartInstall): NodeFile {
  return {
    path: `${manifestsFolder}/petra-${name}.yaml`,
    owner: 'root:root',
    permissions: '0600',
    content: yamlText({
      apiVersion: 'helm.cattle.io/v1',
      kind: 'HelmChart',
      metadata: { name, namespace: 'kube-system' },
      spec: {
        ...(install.bootstrap && { bootstrap: true }),
        repo: source.repo,
        chart: source.chart,
        version: source.version,
        targetNamespace: install.targetNamespace,
        ...(install.targetNamespace !== 'kube-system' && { createNamespace: true }),
        ...(install.values !== undefined && { valuesContent: yamlText(install.values) }),
      },
    }),
  };
}
