import { PetraError } from '../../core/errors.ts';
import type { AccessQuestion, KubernetesObject, MachineRequest, ReleaseAsset } from '../../core/ports.ts';
import { managementSpec, workloadSpec } from '../core/test-ports.ts';
import { describeFailures, type FailureCase } from './failures.ts';
import { failing, type PortFault } from './port-faults.ts';
import { shortLimits, type WholePetra } from './whole-petra.ts';

const isFile = (file: string, part: string) => (asset: ReleaseAsset) =>
  asset.file === file && asset.repository.includes(part);

const spoilRelease = (file: string, part: string, change: (text: string) => string): PortFault => ({
  call: 'releases.fetch',
  when: isFile(file, part),
  instead: async (usual) => change(String(await usual())),
});

/** The same, of a file that was still whole when the preflight looked at it. */
const spoilLater = (fault: PortFault): PortFault => {
  let fetched = 0;
  return {
    ...fault,
    instead: (usual) => {
      fetched += 1;
      return fetched === 1 ? usual() : fault.instead(usual);
    },
  };
};

const lost = new PetraError('ReleaseNotFound', 'no such file');
const loseManifest = failing('releases.fetch', lost, isFile('core-components.yaml', 'cluster-api'));
const addVariable = spoilRelease('infrastructure-components.yaml', 'provider-aws', (text) =>
  // biome-ignore lint/suspicious/noTemplateCurlyInString: a variable of the manifest
  text.replace('kind: ServiceAccount', 'kind: ServiceAccount\nextra: ${NOBODY_KNOWS}'),
);
const breakManifest = spoilRelease('core-components.yaml', 'cluster-api', () => 'kind: [');
const isObject = (kind: string, name: RegExp) => (object: KubernetesObject) =>
  object.kind === kind && name.test(object.metadata.name);
const withoutStatus = (objects: unknown) => (objects as object[]).map((one) => ({ ...one, status: {} }));
const isRole = (role: string) => (request: MachineRequest) => request.role === role;

/** Ends a machine while the operation waits for it. */
const loseMachine = (state: string, name: string) => (petra: WholePetra) => {
  void petra.workflows.pauseAt(state, 'after', async () => {
    const { region, uid } = (await petra.ports.fleet.find('mgmt')) ?? { region: '', uid: '' };
    const machines = await petra.cloud.machines.list(region, uid);
    await petra.cloud.machines.terminate(
      region,
      machines.filter((machine) => machine.name === name).map(({ id }) => id),
    );
  });
};

const cases: readonly FailureCase[] = [
  {
    why: 'the spec asks for another region than the stack has',
    state: 'Preflight',
    code: 'RegionMismatch',
    petra: { region: 'us-west-1' },
    begin: (petra) =>
      petra.init(
        workloadSpec('mgmt', {
          management: managementSpec().spec.management,
          target: { type: 'aws', region: 'eu-west-1' },
        }),
      ),
    message: /eu-west-1.*us-west-1/,
  },
  {
    why: 'a release does not exist',
    state: 'Preflight',
    code: 'ReleaseNotFound',
    petra: { portFaults: [failing('releases.fetch', lost, isFile('metadata.yaml', 'provider-aws'))] },
    message: /CAPA v2\.7\.2/,
  },
  {
    why: 'no release of the set serves the contract',
    state: 'Preflight',
    code: 'IncompatibleProviders',
    petra: {
      portFaults: [
        spoilRelease('metadata.yaml', 'provider-aws', (text) => text.replaceAll('v1beta1', 'v1alpha3')),
      ],
    },
  },
  {
    why: 'the region does not offer an instance type',
    state: 'Preflight',
    code: 'InstanceTypeNotOffered',
    begin: (petra) =>
      petra.init(
        workloadSpec('mgmt', {
          management: managementSpec().spec.management,
          nodes: { controlPlane: { count: 1 }, workers: { count: 2, instanceType: 'p5.48xlarge' } },
        }),
      ),
    message: /spec\.nodes\.workers\.instanceType.*p5\.48xlarge/,
  },
  {
    why: 'the metadata of a release cannot be read',
    state: 'Preflight',
    code: 'ReleaseCorrupt',
    petra: { portFaults: [spoilRelease('metadata.yaml', 'cluster-api-k3s', () => 'releaseSeries: 7')] },
  },
  {
    why: 'the quota of network interfaces is used up',
    state: 'ReserveAddresses',
    code: 'QuotaExceeded',
    petra: { faults: ['ec2:NetworkInterfaceLimitExceeded'] },
    message: /L-DF5E4CA3/,
  },
  {
    why: 'a release has lost its manifest',
    state: 'Preflight',
    code: 'ReleaseNotFound',
    petra: { portFaults: [loseManifest] },
    message: /Cluster API v1\.9\.5 is released, but core-components\.yaml is not in the repository/,
  },
  {
    why: 'a release loses its manifest later',
    state: 'FetchComponents',
    code: 'ReleaseNotFound',
    petra: { portFaults: [spoilLater(loseManifest)] },
  },
  {
    why: 'a manifest has a variable that nobody knows',
    state: 'Preflight',
    code: 'VariablesMissing',
    petra: { portFaults: [addVariable] },
    message: /NOBODY_KNOWS/,
  },
  {
    why: 'a manifest is not YAML',
    state: 'Preflight',
    code: 'ReleaseCorrupt',
    petra: { portFaults: [breakManifest] },
  },
  {
    why: 'k3s was never released in this version',
    state: 'Preflight',
    code: 'ReleaseNotFound',
    petra: { portFaults: [failing('releases.fetch', lost, isFile('sha256sum-amd64.txt', 'k3s-io/k3s'))] },
    message: /k3s v1\.35\.3\+k3s1 for amd64 was never released/,
  },
  {
    why: 'the region has no image for the nodes',
    state: 'Preflight',
    code: 'ImageNotFound',
    petra: { portFaults: [failing('machines.image', new PetraError('ImageNotFound', 'no image'))] },
  },
  {
    why: 'the quota of Elastic IPs is used up',
    state: 'Preflight',
    code: 'QuotaTooSmall',
    petra: { faults: ['quota:elasticIps'] },
    message: /EC2-VPC Elastic IPs in us-west-1: 0 of 0 are used, and this cluster takes 1 more/,
  },
  {
    why: 'EC2 has no capacity, four times in a row',
    state: 'LaunchServers',
    code: 'CapacityUnavailable',
    petra: { faults: ['ec2:InsufficientInstanceCapacity:4'] },
  },
  {
    why: 'the vCPU quota is used up',
    state: 'LaunchServers',
    code: 'QuotaExceeded',
    petra: { faults: ['ec2:VcpuLimitExceeded'] },
    message: /L-1216C47A/,
  },
  {
    why: 'EC2 finds the user data too long',
    state: 'LaunchServers',
    code: 'UserDataTooLarge',
    petra: { portFaults: [failing('machines.launch', new PetraError('UserDataTooLarge', 'too long'))] },
  },
  {
    why: 'the first server never boots',
    state: 'CheckApi',
    code: 'BootTimedOut',
    petra: { faults: ['boot:never'], limits: { api: shortLimits.api } },
    evidence: /server-0 .* is running[\s\S]*console[\s\S]*cloud-init/,
  },
  {
    why: 'the API refuses the kubeconfig for good',
    state: 'CheckApi',
    code: 'BootTimedOut',
    petra: {
      limits: { api: shortLimits.api },
      portFaults: [
        failing('kubernetes.read', new PetraError('KubernetesUnauthorized', 'who are you?'), () => true),
      ],
    },
    evidence: /who are you\?/,
  },
  {
    why: 'EC2 never runs the first server',
    state: 'CheckApi',
    code: 'BootTimedOut',
    petra: {
      limits: { api: shortLimits.api },
      faults: ['boot:never'],
      portFaults: [
        {
          call: 'machines.list',
          instead: async (usual) =>
            Object(await usual()).map((machine: object) => ({ ...machine, state: 'pending' })),
        },
      ],
    },
    evidence: /not stored a kubeconfig[\s\S]*server-0 .* is pending/,
  },
  {
    why: 'the API has no namespaces',
    state: 'CheckApi',
    code: 'BootTimedOut',
    petra: {
      limits: { api: shortLimits.api },
      portFaults: [
        {
          call: 'kubernetes.read',
          when: ({ kind }: { kind: string }) => kind === 'Namespace',
          instead: async () => undefined,
        },
      ],
    },
    evidence: /no namespace kube-system/,
  },
  {
    why: 'something happens that nobody foresaw',
    state: 'CheckApi',
    code: 'InternalError',
    petra: { portFaults: [failing('kubernetes.read', new TypeError('x is not a function'))] },
  },
  {
    why: 'somebody deleted the network interface',
    state: 'LaunchServers',
    code: 'InternalError',
    petra: { portFaults: [{ call: 'networks.listInterfaces', instead: async () => [] }] },
    message: /interface of server-0 is missing/,
  },
  {
    why: 'the first server is terminated',
    state: 'CheckServers',
    code: 'MachineLost',
    spoil: loseMachine('init.LaunchServers', 'server-0'),
    message: /1 of 1 server/,
  },
  {
    why: 'EC2 has no capacity for workers',
    state: 'LaunchWorkers',
    code: 'CapacityUnavailable',
    petra: {
      portFaults: [
        failing('machines.launch', new PetraError('CapacityUnavailable', 'none left'), isRole('agent')),
      ],
    },
  },
  {
    why: 'the vCPU quota does not hold the workers',
    state: 'LaunchWorkers',
    code: 'QuotaExceeded',
    petra: {
      portFaults: [failing('machines.launch', new PetraError('QuotaExceeded', 'none left'), isRole('agent'))],
    },
  },
  {
    why: 'workers do not join in time',
    state: 'CheckNodes',
    code: 'NodesTimedOut',
    petra: {
      limits: { nodes: shortLimits.nodes },
      portFaults: [
        {
          call: 'kubernetes.list',
          when: ({ kind }: { kind: string }) => kind === 'Node',
          instead: async () => [{ apiVersion: 'v1', kind: 'Node', metadata: { name: 'lonely' } }],
        },
      ],
    },
    message: /0 of 3 nodes are Ready/,
    evidence: /node lonely: no Ready condition[\s\S]*agent-1/,
  },
  {
    why: 'a worker is terminated',
    state: 'CheckInstances',
    code: 'MachineLost',
    spoil: loseMachine('init.LaunchWorkers', 'agent-1'),
    message: /1 of 2 agent/,
  },
  {
    why: 'an object of cert-manager is refused',
    state: 'InstallComponents',
    code: 'ObjectRefused',
    petra: {
      portFaults: [
        failing(
          'kubernetes.apply',
          new PetraError('ObjectRefused', 'no'),
          isObject('Deployment', /cainjector/),
        ),
      ],
    },
  },
  {
    why: 'the stored manifest is gone',
    state: 'InstallComponents',
    code: 'ReleaseCorrupt',
    petra: { portFaults: [{ call: 'artifacts.read', instead: async () => undefined }] },
  },
  {
    why: 'its webhook never becomes available',
    state: 'CheckCertManager',
    code: 'CertManagerTimedOut',
    petra: { faults: ['provider:cert-manager-webhook'], limits: { certManager: shortLimits.certManager } },
    evidence: /Deployment cert-manager-webhook: Available=False/,
  },
  {
    why: 'its webhook refuses what is right',
    state: 'CheckCertManager',
    code: 'CertManagerTimedOut',
    petra: { faults: ['webhook:Certificate'], limits: { certManager: shortLimits.certManager } },
    message: /refused as the fault asks for/,
  },
  {
    why: 'an object of a provider is refused',
    state: 'InstallComponents',
    code: 'ObjectRefused',
    petra: {
      portFaults: [
        failing('kubernetes.apply', new PetraError('ObjectRefused', 'no'), isObject('ClusterRole', /capa/)),
      ],
    },
  },
  {
    why: 'a manifest gets a variable that nobody knows',
    state: 'FetchComponents',
    code: 'VariablesMissing',
    petra: { portFaults: [spoilLater(addVariable)] },
    message: /NOBODY_KNOWS/,
  },
  {
    why: 'a manifest is no YAML any more',
    state: 'FetchComponents',
    code: 'ReleaseCorrupt',
    petra: { portFaults: [spoilLater(breakManifest)] },
  },
  {
    why: 'a controller never becomes available',
    state: 'StartProviders',
    code: 'ProviderTimedOut',
    // Long enough for the others, which do become available, on a machine that has other things to do.
    petra: { faults: ['provider:infrastructure-aws'], limits: { provider: 5 } },
    message:
      /^providers did not work in time: infrastructure-aws v2\.7\.2: waiting for Deployment capa-controller-manager$/,
    evidence: /Deployment capa-controller-manager: Available=False/,
  },
  {
    why: 'definitions are never served',
    state: 'StartProviders',
    code: 'ProviderTimedOut',
    petra: {
      limits: { provider: shortLimits.provider },
      portFaults: [
        {
          call: 'kubernetes.list',
          when: ({ kind }: { kind: string }) => kind === 'CustomResourceDefinition',
          instead: async (usual) => withoutStatus(await usual()),
        },
      ],
    },
    evidence: /CustomResourceDefinition .*: no conditions yet/,
  },
  {
    why: 'a controller may not watch what it must',
    state: 'StartProviders',
    code: 'ProviderTimedOut',
    petra: {
      limits: { provider: 5 },
      portFaults: [
        {
          call: 'kubernetes.allows',
          when: ({ resource }: AccessQuestion) => resource === 'awsmachines',
          instead: async () => false,
        },
      ],
    },
    message:
      /infrastructure-aws v2\.7\.2: its ServiceAccount capa-system\/\S+ may not list awsmachines\.infra/,
  },
  {
    why: "a provider's webhook refuses what is right",
    state: 'StartProviders',
    code: 'ProviderTimedOut',
    petra: { faults: ['webhook:KThreesConfigTemplate'], limits: { provider: 5 } },
    message:
      /bootstrap-k3s v0\.3\.1: a trial KThreesConfigTemplate is refused: .*refused as the fault asks for/,
  },
  {
    why: 'a Deployment is refused',
    state: 'StartProviders',
    code: 'ObjectRefused',
    petra: {
      portFaults: [
        failing('kubernetes.apply', new PetraError('ObjectRefused', 'no'), isObject('Deployment', /capi/)),
      ],
    },
  },
  {
    why: 'a template of the ClusterClass is refused',
    state: 'ApplyClusterClass',
    code: 'ObjectRefused',
    petra: { faults: ['webhook:AWSMachineTemplate'] },
    message: /refused as the fault asks for/,
  },
  {
    why: 'Cluster API never looks at the ClusterClass',
    state: 'CheckWebhooks',
    code: 'WebhooksTimedOut',
    petra: {
      limits: { webhooks: shortLimits.webhooks },
      portFaults: [
        {
          call: 'kubernetes.read',
          when: ({ kind }: { kind: string }) => kind === 'ClusterClass',
          instead: async (usual) => withoutStatus([await usual()])[0],
        },
      ],
    },
    message: /Cluster API has not taken the ClusterClass petra/,
  },
  {
    why: 'a trial Cluster is refused for good',
    state: 'CheckWebhooks',
    code: 'WebhooksTimedOut',
    petra: { faults: ['webhook:Cluster'], limits: { webhooks: shortLimits.webhooks } },
    evidence: /refused as the fault asks for/,
  },
  {
    why: 'the API throttles for good',
    state: 'CheckWebhooks',
    code: 'KubernetesThrottled',
    petra: {
      limits: { webhooks: shortLimits.webhooks },
      portFaults: [
        failing(
          'kubernetes.apply',
          new PetraError('KubernetesThrottled', 'slow'),
          isObject('Cluster', /trial/),
        ),
      ],
    },
  },
  {
    why: 'EC2 throttles for good',
    state: 'ReserveAddresses',
    code: 'Throttled',
    petra: { portFaults: [failing('networks.reserveInterface', new PetraError('Throttled', 'slow down'))] },
  },
  {
    why: "Petra's role lacks a permission",
    state: 'Preflight',
    code: 'AwsAccessDenied',
    petra: { faults: ['ec2:UnauthorizedOperation'] },
  },
  {
    why: 'releases cannot be reached',
    state: 'Preflight',
    code: 'ReleaseUnreachable',
    petra: { faults: ['releases:Unreachable'] },
  },
  {
    why: 'something happens that nobody foresaw',
    state: 'MakeSecrets',
    code: 'InternalError',
    petra: { portFaults: [failing('secrets.createOnce', new TypeError('x is not a function'))] },
    message: /MakeSecrets failed in a way Petra did not foresee: x is not a function/,
  },
];

describeFailures(
  {
    verb: 'init',
    cluster: 'mgmt',
    prepare: async () => {},
    begin: (petra) => petra.init(managementSpec()),
  },
  cases,
);
