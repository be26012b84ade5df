// The templates of the ClusterClass: what every cluster has, whatever its variables say. class-patches.ts adds the rest.

import { createHash } from 'node:crypto';
import type { KubernetesObject } from '../ports.ts';
import { podCidr, serviceCidr, serviceDomain } from './cluster-network.ts';
import { disabledComponents, k3sDropIn } from './node-file.ts';
import { clusterNamespace } from './translate-cluster.ts';

const apiVersions = {
  AWSClusterTemplate: 'infrastructure.cluster.x-k8s.io/v1beta2',
  AWSMachineTemplate: 'infrastructure.cluster.x-k8s.io/v1beta2',
  KThreesControlPlaneTemplate: 'controlplane.cluster.x-k8s.io/v1beta2',
  KThreesConfigTemplate: 'bootstrap.cluster.x-k8s.io/v1beta2',
} as const;

type TemplateKind = keyof typeof apiVersions;

/** What names a template's kind in a reference or a patch selector. */
export function kindOf(kind: TemplateKind): { readonly apiVersion: string; readonly kind: TemplateKind } {
  return { apiVersion: apiVersions[kind], kind };
}

/** The five templates, each under the part it plays in the class. */
export interface ClassTemplates {
  readonly cluster: KubernetesObject;
  readonly controlPlane: KubernetesObject;
  readonly controlPlaneMachine: KubernetesObject;
  readonly worker: KubernetesObject;
  readonly workerMachine: KubernetesObject;
}

/**
 * Node ports are for load balancers and other nodes. CAPA's own rule lets the whole internet in; these are the private ranges
 * (RFC 1918, RFC 6598) that a VPC can have. The cloud controller manager opens what a load balancer needs beyond them.
 */
const privateCidrs = ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10'];

/** VXLAN between nodes: the overlay of cilium and of flannel alike. Given at all, the rules replace CAPA's own for Calico. */
const overlayRule = { description: 'vxlan overlay', protocol: 'udp', fromPort: 8472, toPort: 8472 };

/** Overwritten by the patches; the type is required and a patch can only replace what is there. */
const placeholderInstanceType = 'm5a.large';

export function classTemplates(): ClassTemplates {
  return {
    cluster: template('AWSClusterTemplate', 'petra-cluster', {
      // TCP, because the health check over TLS fails on k3s' EC certificates; both fields can never be changed later.
      controlPlaneLoadBalancer: {
        loadBalancerType: 'nlb',
        healthCheckProtocol: 'TCP',
        // Else the address in a zone without a server yet leads nowhere until DNS drops it.
        crossZoneLoadBalancing: true,
      },
      network: {
        // The default security group of a new VPC allows everything among its members; nothing uses it.
        vpc: { emptyRoutesDefaultVPCSecurityGroup: true },
        cni: { cniIngressRules: [overlayRule] },
        nodePortIngressRuleCidrBlocks: privateCidrs,
      },
      // No key pair anywhere. Left out, CAPA asks for one called "default".
      sshKeyName: '',
    }),
    controlPlane: template('KThreesControlPlaneTemplate', 'petra-control-plane', {
      kthreesConfigSpec: {
        serverConfig: {
          disableComponents: disabledComponents,
          // The AWS cloud controller manager takes the place of k3s' own, which would give Nodes a providerID that
          // never matches a Machine's.
          disableCloudController: true,
          cloudProviderName: 'external',
          clusterCidr: podCidr,
          serviceCidr,
          clusterDomain: serviceDomain,
        },
        agentConfig: { nodeName: nodeNameTemplate },
        files: [commonDropIn],
        postK3sCommands: [masterLabelCommand],
      },
    }),
    controlPlaneMachine: machineTemplate('petra-control-plane', 'control-plane'),
    worker: template('KThreesConfigTemplate', 'petra-worker', {
      serverConfig: { cloudProviderName: 'external' },
      agentConfig: { nodeName: nodeNameTemplate },
      files: [commonDropIn],
    }),
    workerMachine: machineTemplate('petra-worker', 'nodes'),
  };
}

/** k3s' own iptables and other tools rather than the image's, so that their versions change with k3s' only. */
const commonDropIn = k3sDropIn('10-petra', { 'prefer-bundled-bin': true });

/**
 * Filled in by cloud-init, whose user data the bootstrap provider marks as a Jinja template: the private DNS name, which the
 * cloud controller manager looks instances up by. Everything else in the user data must be free of Jinja's marks.
 */
const nodeNameTemplate = '{{ ds.meta_data.local_hostname }}';

/**
 * The k3s control-plane provider v0.3.1 knows a server by the label `master`, which k3s no longer sets (removed in v1.34: k3s
 * #12395; provider #229): without it the control plane has no Nodes and is never ready. A kubelet may not give itself the label,
 * the API's administrator may. Tried for ten minutes, as the Node appears some time after k3s has started.
 */
const masterLabelCommand = [
  `n=0; until /usr/local/bin/k3s kubectl label --overwrite node ${nodeNameTemplate} node-role.kubernetes.io/master=true;`,
  'do n=$((n+1)); [ $n -lt 120 ] || exit 1; sleep 5; done',
].join(' ');

function machineTemplate(name: string, profile: 'control-plane' | 'nodes'): KubernetesObject {
  return template('AWSMachineTemplate', name, {
    instanceType: placeholderInstanceType,
    iamInstanceProfile: `${profile}.cluster-api-provider-aws.sigs.k8s.io`,
    imageLookupFormat: ubuntuImage('amd64'),
    imageLookupOrg: ubuntuOwner.aws,
    sshKeyName: '',
    // Else the instance fetches its user data with the AWS CLI, which Ubuntu's image does not have.
    cloudInit: { insecureSkipSecretsManager: true },
    // Compressed: EC2 takes 16,384 bytes, and a first server comes close to that in plain text.
    uncompressedUserData: false,
    // Two hops: the cloud controller manager and storage drivers may run on the pod network.
    instanceMetadataOptions: { httpEndpoint: 'enabled', httpTokens: 'required', httpPutResponseHopLimit: 2 },
    rootVolume: { size: 40, type: 'gp3', encrypted: true },
  });
}

/** Canonical's account in each partition: docs.aws.amazon.com, and CAPA's ami.go for GovCloud. */
export const ubuntuOwner = { aws: '099720109477', 'aws-us-gov': '513442679011' } as const;

/**
 * Name pattern of Ubuntu 24.04 images. CAPA's own pattern contains the Kubernetes version, and `+k3s1` cannot be in the name of
 * an image.
 */
export function ubuntuImage(architecture: string): string {
  return `ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04-${architecture}-server-*`;
}

/** Templates are immutable, so the name carries a hash of the content: changed content is a new object, which rolls machines. */
function template(
  kind: TemplateKind,
  name: string,
  spec: Readonly<Record<string, unknown>>,
): KubernetesObject {
  const hash = createHash('sha256').update(JSON.stringify(spec)).digest('hex').slice(0, 8);
  return {
    ...kindOf(kind),
    metadata: {
      name: `${name}-${hash}`,
      namespace: clusterNamespace,
      labels: { 'app.kubernetes.io/managed-by': 'petra' },
    },
    spec: { template: { spec } },
  };
}
