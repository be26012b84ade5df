// The API of a workload cluster, at the address that its load balancer has. Real ones are in workload-api-servers.ts;
// most are simulated (simulated-workload-api.ts), since a real kube-apiserver takes some 300 MB and a fleet has fifty.

import type { ApiServerSettings } from './api-server-settings.ts';
import type { ClusterAuthorities } from './k3s-machine.ts';

export interface WorkloadApiRequest {
  readonly cluster: string;
  /** Of the cluster's load balancer. */
  readonly address: string;
  /** 0: any. */
  readonly port: number;
  readonly version: string;
  readonly authorities: ClusterAuthorities;
  /** What its certificate must be good for, as k3s was told. */
  readonly names: readonly string[];
  /** What k3s was told to tell it. */
  readonly settings: ApiServerSettings;
}

/** An API server that runs. */
export interface WorkloadApi {
  readonly url: string;
  /** Another server, with its etcd, is there; or gone. Absent: nothing leads to the etcd of servers. */
  serverJoined?(nodeName: string): Promise<void>;
  serverLeft?(nodeName: string): Promise<void>;
  stop(): Promise<void>;
}

export type StartWorkloadApi = (request: WorkloadApiRequest) => Promise<WorkloadApi>;
