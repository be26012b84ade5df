import type {
  Artifacts,
  Clock,
  Events,
  FleetStore,
  KubernetesAccess,
  Ledger,
  Machines,
  Metrics,
  Networks,
  NodeDiagnosis,
  Operations,
  Permissions,
  Quotas,
  Releases,
  ResourceLedger,
  Secrets,
  TaggedResources,
  Workflows,
} from './ports.ts';

/** How long each phase may last, in seconds of Petra's clock. */
export interface Limits {
  readonly api: number;
  readonly nodes: number;
  readonly certManager: number;
  readonly provider: number;
  readonly webhooks: number;
  readonly cluster: number;
  readonly deletion: number;
  readonly machines: number;
  readonly residue: number;
  readonly workloads: number;
}

/**
 * Generous against what was seen and read: a k3s node boots in 2 to 4 minutes, a workload cluster takes 5 to 15
 * (CAPA waits for NAT gateways and the load balancer), deleting one as long.
 */
export const defaultLimits: Limits = {
  api: 15 * 60,
  nodes: 10 * 60,
  certManager: 7 * 60,
  provider: 5 * 60,
  webhooks: 5 * 60,
  cluster: 40 * 60,
  deletion: 40 * 60,
  machines: 10 * 60,
  residue: 5 * 60,
  workloads: 120 * 60,
};

export interface Settings {
  readonly mode: 'local' | 'aws' | 'aws-us-gov';
  readonly version: string;
  /** The stack's region, which a management cluster must be in; absent where any will do. */
  readonly region?: string;
  readonly limits: Limits;
  /** How long a lock lasts without being renewed. Longer than any Task's timeout plus any Wait. */
  readonly leaseSeconds: number;
  /** A mirror of k3s' releases for management nodes; upstream's when absent. */
  readonly k3sReleasesUrl?: string;
  /** Further variables for the providers' manifests. */
  readonly providerVariables: Readonly<Record<string, string>>;
}

/** Everything Petra needs to work: put together once by each composition root. */
export interface Ports {
  readonly clock: Clock;
  readonly newUid: () => string;
  /** A fresh secret of at least 128 bits, as text. */
  readonly newToken: () => string;
  readonly settings: Settings;
  readonly fleet: FleetStore;
  readonly operations: Operations;
  readonly ledger: Ledger;
  readonly resources: ResourceLedger;
  readonly workflows: Workflows;
  readonly machines: Machines;
  readonly networks: Networks;
  readonly secrets: Secrets;
  readonly artifacts: Artifacts;
  readonly releases: Releases;
  readonly tagged: TaggedResources;
  readonly kubernetes: KubernetesAccess;
  readonly diagnosis: NodeDiagnosis;
  readonly quotas: Quotas;
  readonly permissions: Permissions;
  readonly events: Events;
  readonly metrics: Metrics;
}
