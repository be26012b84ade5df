// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables of the manifests
// The four providers of the synthetic releases. Feature gates are a choice of the real ones.

import { coreDefinitions, type Line } from './core-definitions.ts';
import type { SyntheticProvider } from './provider.ts';
import {
  awsDefinitions,
  k3sBootstrapDefinitions,
  k3sControlPlaneDefinitions,
} from './provider-definitions.ts';

/** Cluster API at a release line. */
export function syntheticCore(line: Line): SyntheticProvider {
  return {
    key: 'cluster-api',
    namespace: 'capi-system',
    prefix: 'capi-',
    image: 'cluster-api/cluster-api-controller',
    args: [
      '--leader-elect',
      '--diagnostics-address=${CAPI_DIAGNOSTICS_ADDRESS:=:8443}',
      '--insecure-diagnostics=${CAPI_INSECURE_DIAGNOSTICS:=false}',
      '--feature-gates=MachinePool=${EXP_MACHINE_POOL:=true},ClusterTopology=${CLUSTER_TOPOLOGY:=false}',
    ],
    definitions: coreDefinitions(line),
    serviceAccount: 'capi-manager',
    aggregatesRoles: true,
  };
}

export const syntheticK3sBootstrap: SyntheticProvider = {
  key: 'bootstrap-k3s',
  namespace: 'capi-k3s-bootstrap-system',
  prefix: 'capi-k3s-bootstrap-',
  image: 'k3s-io/cluster-api-k3s/bootstrap-controller',
  args: ['--metrics-addr=127.0.0.1:8080', '--enable-leader-election'],
  definitions: k3sBootstrapDefinitions,
  serviceAccount: 'capi-k3s-bootstrap-manager',
};

export const syntheticK3sControlPlane: SyntheticProvider = {
  key: 'control-plane-k3s',
  namespace: 'capi-k3s-control-plane-system',
  prefix: 'capi-k3s-control-plane-',
  image: 'k3s-io/cluster-api-k3s/controlplane-controller',
  args: ['--metrics-addr=127.0.0.1:8080', '--enable-leader-election'],
  definitions: k3sControlPlaneDefinitions,
  serviceAccount: 'capi-k3s-control-plane-manager',
};

export const syntheticAws: SyntheticProvider = {
  key: 'infrastructure-aws',
  namespace: 'capa-system',
  prefix: 'capa-',
  image: 'cluster-api-aws/cluster-api-aws-controller',
  args: [
    '--leader-elect',
    '--v=${CAPA_LOGLEVEL:=0}',
    '--feature-gates=EKS=${CAPA_EKS:=true},ExternalResourceGC=${EXP_EXTERNAL_RESOURCE_GC:=false},AutoControllerIdentityCreator=${AUTO_CONTROLLER_IDENTITY_CREATOR:=true}',
  ],
  definitions: awsDefinitions,
  serviceAccount: 'capa-controller-manager',
  extra: [
    {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'capa-manager-bootstrap-credentials', namespace: 'capa-system' },
      type: 'Opaque',
      data: { credentials: '${AWS_B64ENCODED_CREDENTIALS}' },
    },
  ],
  pod: {
    affinity: {
      nodeAffinity: {
        preferredDuringSchedulingIgnoredDuringExecution: [
          {
            weight: 10,
            preference: {
              matchExpressions: [
                { key: '${K8S_CP_LABEL:=node-role.kubernetes.io/control-plane}', operator: 'Exists' },
              ],
            },
          },
        ],
      },
    },
  },
};
