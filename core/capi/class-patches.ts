// How the variables of the ClusterClass change its templates. Go templates with sprig functions; every path exists in
// class-templates.ts, since `replace` needs the field itself and `add` its parent.

import { ciliumManifest, cloudControllerManagerManifest, fluxManifest } from './addon-charts.ts';
import { kindOf, ubuntuImage, ubuntuOwner } from './class-templates.ts';
import { armInstanceType } from './instance-architecture.ts';
import { k3sDropIn, type NodeFile, withoutFlannel } from './node-file.ts';
import { hardening, type SecuritySetting, standardProfile } from './profile-standard.ts';
import { workerClass } from './translate-cluster.ts';
import { yamlText } from './yaml-text.ts';

type JsonPatch = { readonly op: 'add' | 'replace'; readonly path: string } & (
  | { readonly value: unknown }
  | { readonly valueFrom: { readonly variable: string } | { readonly template: string } }
);

interface PatchDefinition {
  readonly selector: Readonly<Record<string, unknown>>;
  readonly jsonPatches: readonly JsonPatch[];
}

/** A named patch of the class: applied when `enabledIf` renders to `true`, or always. */
export interface ClassPatch {
  readonly name: string;
  readonly description: string;
  readonly enabledIf?: string;
  readonly definitions: readonly PatchDefinition[];
}

const workers = { machineDeploymentClass: { names: [workerClass] } };

const awsCluster = { ...kindOf('AWSClusterTemplate'), matchResources: { infrastructureCluster: true } };
const controlPlaneMachines = { ...kindOf('AWSMachineTemplate'), matchResources: { controlPlane: true } };
const workerMachines = { ...kindOf('AWSMachineTemplate'), matchResources: workers };
const servers = { ...kindOf('KThreesControlPlaneTemplate'), matchResources: { controlPlane: true } };
const agents = { ...kindOf('KThreesConfigTemplate'), matchResources: workers };

const serverSpec = '/spec/template/spec/kthreesConfigSpec';
const agentSpec = '/spec/template/spec';

export function classPatches(): readonly ClassPatch[] {
  return [
    {
      name: 'region',
      description: 'Where the cluster is.',
      definitions: [
        {
          selector: awsCluster,
          jsonPatches: [{ op: 'add', path: '/spec/template/spec/region', valueFrom: { variable: 'region' } }],
        },
      ],
    },
    {
      name: 'tags',
      description:
        'Whose each AWS resource is: found and removed by the uid, which no other cluster ever has.',
      definitions: [
        {
          selector: awsCluster,
          jsonPatches: [
            { op: 'add', path: '/spec/template/spec/additionalTags', valueFrom: { template: tagsTemplate } },
          ],
        },
      ],
    },
    {
      name: 'machines',
      description: 'Instance types, and the Ubuntu image for their architecture in their partition.',
      definitions: [
        { selector: controlPlaneMachines, jsonPatches: machinePatches('controlPlaneInstanceType') },
        { selector: workerMachines, jsonPatches: machinePatches('workerInstanceType') },
      ],
    },
    {
      name: 'availability-zones',
      description:
        'In how many zones a VPC made by CAPA has subnets, each with a NAT gateway and an address.',
      enabledIf: '{{ if and .network.availabilityZones (not .network.vpcId) }}true{{ end }}',
      definitions: [
        {
          selector: awsCluster,
          jsonPatches: [
            {
              op: 'add',
              path: '/spec/template/spec/network/vpc/availabilityZoneUsageLimit',
              valueFrom: { variable: 'network.availabilityZones' },
            },
          ],
        },
      ],
    },
    {
      name: 'existing-vpc',
      description: 'Use a VPC that is there. CAPA then leaves it alone, default security group included.',
      enabledIf: '{{ if .network.vpcId }}true{{ end }}',
      definitions: [
        {
          selector: awsCluster,
          jsonPatches: [
            {
              op: 'replace',
              path: '/spec/template/spec/network/vpc',
              valueFrom: { template: 'id: {{ .network.vpcId }}' },
            },
          ],
        },
      ],
    },
    {
      name: 'existing-subnets',
      description: 'Use only these subnets of an existing VPC; without, CAPA finds all of them.',
      enabledIf: '{{ if and .network.vpcId .network.subnetIds }}true{{ end }}',
      definitions: [
        {
          selector: awsCluster,
          jsonPatches: [
            {
              op: 'add',
              path: '/spec/template/spec/network/subnets',
              valueFrom: { template: subnetsTemplate },
            },
          ],
        },
      ],
    },
    profilePatch('standard', standardProfile),
    {
      name: 'cloud-controller-manager',
      description: 'Ties Nodes to their instances. Without it no Machine ever becomes ready.',
      definitions: [
        {
          selector: servers,
          jsonPatches: [
            {
              op: 'add',
              path: `${serverSpec}/files/-`,
              valueFrom: {
                template: yamlText(cloudControllerManagerManifest('{{ .builtin.cluster.name }}')),
              },
            },
          ],
        },
      ],
    },
    {
      name: 'cilium',
      description:
        "Cilium instead of k3s' flannel, network policies and kube-proxy; left out, k3s' own work.",
      enabledIf: '{{ if .addons.cilium.enabled }}true{{ end }}',
      definitions: [
        {
          selector: awsCluster,
          jsonPatches: ciliumRules.map((value) => ({
            op: 'add',
            path: '/spec/template/spec/network/cni/cniIngressRules/-',
            value,
          })),
        },
        {
          selector: servers,
          jsonPatches: addFiles(serverSpec, [k3sDropIn('20-petra-cilium', withoutFlannel), ciliumManifest()]),
        },
      ],
    },
    {
      name: 'flux',
      description: 'The controllers of Flux.',
      enabledIf: '{{ if .addons.flux.enabled }}true{{ end }}',
      definitions: [{ selector: servers, jsonPatches: addFiles(serverSpec, [fluxManifest()]) }],
    },
  ];
}

// Quoted: a name or uid of digits alone would else become a number, which a tag cannot be.
const tagsTemplate = `petra.sh/cluster: {{ .builtin.cluster.name | quote }}
petra.sh/profile: {{ .profile | quote }}
{{- if .uid }}
petra.sh/uid: {{ .uid | quote }}
{{- end }}
`;

const subnetsTemplate = `{{ range .network.subnetIds }}
- id: {{ . }}
{{- end }}
`;

/** Between nodes, besides the overlay: docs.cilium.io, "Firewall Rules". */
const ciliumRules = [
  { description: 'cilium health', protocol: 'tcp', fromPort: 4240, toPort: 4240 },
  { description: 'hubble peer', protocol: 'tcp', fromPort: 4244, toPort: 4244 },
  { description: 'icmp for cilium health', protocol: 'icmp', fromPort: -1, toPort: -1 },
];

function machinePatches(variable: string): readonly JsonPatch[] {
  const architecture = `{{ if regexMatch "${armInstanceType}" .${variable} }}arm64{{ else }}amd64{{ end }}`;
  const owner = `{{ if hasPrefix "us-gov-" .region }}"${ubuntuOwner['aws-us-gov']}"{{ else }}"${ubuntuOwner.aws}"{{ end }}`;
  return [
    { op: 'replace', path: '/spec/template/spec/instanceType', valueFrom: { variable } },
    {
      op: 'replace',
      path: '/spec/template/spec/imageLookupFormat',
      valueFrom: { template: ubuntuImage(architecture) },
    },
    { op: 'replace', path: '/spec/template/spec/imageLookupOrg', valueFrom: { template: owner } },
  ];
}

function profilePatch(name: string, settings: readonly SecuritySetting[]): ClassPatch {
  return {
    name: `profile-${name}`,
    description: `Security profile ${name}: ${settings.map((setting) => setting.name).join(', ')}.`,
    enabledIf: `{{ if eq .profile "${name}" }}true{{ end }}`,
    definitions: [
      { selector: servers, jsonPatches: hardeningPatches(serverSpec, settings, 'server') },
      { selector: agents, jsonPatches: hardeningPatches(agentSpec, settings, 'agent') },
    ],
  };
}

function hardeningPatches(
  root: string,
  settings: readonly SecuritySetting[],
  role: 'server' | 'agent',
): readonly JsonPatch[] {
  const { config, apiServerArgs, kubeletArgs, files, commands } = hardening(settings, role);
  const server: readonly JsonPatch[] =
    role === 'server'
      ? [{ op: 'add', path: `${root}/serverConfig/kubeAPIServerArg`, value: apiServerArgs }]
      : [];
  return [
    ...server,
    { op: 'add', path: `${root}/agentConfig/kubeletArgs`, value: kubeletArgs },
    { op: 'add', path: `${root}/preK3sCommands`, value: commands },
    ...addFiles(root, [k3sDropIn('30-petra-profile', config), ...files]),
  ];
}

function addFiles(root: string, files: readonly NodeFile[]): readonly JsonPatch[] {
  return files.map((value) => ({ op: 'add', path: `${root}/files/-`, value }));
}
