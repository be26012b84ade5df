// A virtual account with real Kubernetes and real Cluster API: what its management machines make of themselves, and what
// the machines do that CAPA makes.

import { writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { connectEc2 } from '../../adapters/ec2-client.ts';
import { connectLoadBalancing } from '../../adapters/load-balancing-client.ts';
import { perRegion } from '../../adapters/per-region.ts';
import { motoAccount } from '../moto/start-moto.ts';
import { openVirtualAccount, type VirtualAccount } from '../virtual-account/account.ts';
import type { AccountKubernetes, KubernetesSurroundings } from '../virtual-account/account-kubernetes.ts';
import { region } from '../virtual-account/places.ts';
import { type AwsHosts, startAwsHosts } from './aws-hosts.ts';
import type { Binaries } from './binaries.ts';
import { type DescribedInstance, InstanceMetadata } from './instance-metadata.ts';
import { type KubeletOptions, StandInKubelet } from './kubelet.ts';
import {
  apiPort,
  type Companion,
  type ManagementCluster,
  ManagementClusters,
} from './management-clusters.ts';
import type { PodNetwork } from './pod-network.ts';
import type { Processes } from './processes.ts';
import { releaseFiles } from './release-files.ts';
import { addAddress, addAddresses } from './sandbox.ts';
import { startSimulatedWorkloadApi } from './simulated-workload-api.ts';
import { realWorkloadApis } from './workload-api-servers.ts';
import { WorkloadClusters } from './workload-clusters.ts';

/** More than one, since a run is short; not many, since each look costs the controllers some of the processor. */
export const stepFunctionsSpeed = 6;

/** Where every machine on EC2 finds what it is. */
const metadataAddress = '169.254.169.254';

/** Of load balancers in moto (test/moto/cluster_api_provider.py). */
const balancerAddresses = '10.250.0.0/16';

/** What is real, and where it works. */
export interface Reality {
  readonly processes: Processes;
  readonly binaries: Binaries;
  /** Releases in clusterctl's layout. */
  readonly releases: string;
  /** Which workload clusters have a real API server; those of others are simulated, and small. */
  readonly isReal: (workload: string) => boolean;
  /** Of all Pods in the sandbox. */
  readonly network: PodNetwork;
  /** Where data, keys and logs go. */
  readonly folder: string;
  /** Of Pods whose program ended; the real kubelet's when absent. */
  readonly backOff?: KubeletOptions['backOff'];
}

export interface RealAccount {
  readonly account: VirtualAccount;
  readonly management: ManagementClusters;
  readonly workloads: WorkloadClusters;
  /** By the names of management clusters. */
  readonly kubelets: ReadonlyMap<string, StandInKubelet>;
}

/**
 * A fleet's functions would else be a process for each cluster, and each takes a second of a core to start. More than
 * processors, since they wait for moto most of the time, and a state counts how long its function waits for its turn.
 */
const functionsAtOnce = 8 * availableParallelism();

/** Only in the sandbox, and one at a time. */
export async function openRealAccount(reality: Reality, say: (line: string) => void): Promise<RealAccount> {
  await addAddresses(balancerAddresses);
  const opened = Promise.withResolvers<RealKubernetes>();
  const account = await openVirtualAccount(
    {
      kubernetes: async (surroundings) => {
        const kubernetes = await openKubernetes(reality, surroundings);
        opened.resolve(kubernetes);
        return kubernetes;
      },
      releases: releaseFiles(reality.releases),
      speed: stepFunctionsSpeed,
      moto: { CLUSTER_API_PROVIDER: 'true' },
      functionsAtOnce,
      parent: reality.folder,
    },
    say,
  );
  const { management, workloads, kubelets } = await opened.promise;
  return { account, management, workloads, kubelets };
}

type RealKubernetes = AccountKubernetes & Omit<RealAccount, 'account'>;

async function openKubernetes(
  reality: Reality,
  surroundings: KubernetesSurroundings,
): Promise<RealKubernetes> {
  const { processes, binaries, folder, isReal } = reality;
  const { log, config, edgeUrl } = surroundings;
  const aws = await startAwsHosts(edgeUrl, region);
  const kubelets = new Map<string, StandInKubelet>();
  const management = new ManagementClusters({
    processes,
    binaries,
    folder: path.join(folder, 'management'),
    companions: async (cluster) => {
      const kubelet = startKubelet(cluster, reality, aws, log);
      kubelets.set(cluster.name, kubelet);
      return [
        await startHelmController(cluster, reality),
        await startInstanceMetadata(cluster, surroundings),
        kubelet,
      ];
    },
    log,
  });
  const startReal = realWorkloadApis({ processes, binaries, folder: path.join(folder, 'workload') });
  const workloads = new WorkloadClusters({
    ec2: perRegion((inRegion) => connectEc2(config(inRegion))),
    balancing: perRegion((inRegion) => connectLoadBalancing(config(inRegion))),
    regions: [region],
    startApi: (request) => (isReal(request.cluster) ? startReal : startSimulatedWorkloadApi)(request),
    // The whole range is this machine's already.
    addresses: { add: async () => undefined, remove: async () => undefined },
    log,
  });
  workloads.start();
  return {
    management,
    workloads,
    kubelets,
    nodes: management,
    port: apiPort,
    stop: async () => {
      await workloads.stop();
      await management.stop();
      await aws.stop();
    },
  };
}

function startKubelet(
  { name, machine, kubeconfig }: ManagementCluster,
  { processes, binaries, folder, network, backOff }: Reality,
  outside: AwsHosts,
  log: (line: string) => void,
): StandInKubelet {
  return new StandInKubelet({
    kubeconfig,
    processes,
    binaries,
    folder: path.join(folder, 'pods', name),
    network,
    nodeAddress: machine.address,
    outside,
    ...(backOff === undefined ? {} : { backOff }),
    say: (text) => log(`kubelet of ${name}: ${text}`),
  });
}

/** k3s has it in itself. */
async function startHelmController(
  { name, kubeconfig }: ManagementCluster,
  { processes, binaries, folder }: Reality,
): Promise<Companion> {
  const file = path.join(folder, 'management', `${name}.kubeconfig`);
  await writeFile(file, kubeconfig, { mode: 0o600 });
  const args = ['--kubeconfig', file, '--namespace', 'kube-system'];
  return processes.start(`${name}-helm-controller`, binaries['helm-controller'], args);
}

async function startInstanceMetadata(
  { machine, region: ofCluster }: ManagementCluster,
  { nodeRole, nodeCredentials }: KubernetesSurroundings,
): Promise<Companion> {
  const { instanceId, address, instanceType, availabilityZone } = machine;
  const instance: DescribedInstance = {
    id: instanceId,
    region: ofCluster,
    availabilityZone,
    instanceType,
    privateAddress: address,
    hostName: `ip-${address.replaceAll('.', '-')}.${ofCluster}.compute.internal`,
    account: motoAccount,
    role: nodeRole.slice(nodeRole.lastIndexOf('/') + 1),
  };
  const metadata = new InstanceMetadata({ instance, admit: () => nodeCredentials(instanceId) });
  await addAddress(metadataAddress);
  await metadata.start({ address: metadataAddress });
  return metadata;
}
