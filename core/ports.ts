// Everything outside that Petra needs, as narrow interfaces. Read this file first.
// Each is implemented in adapters/ (the real thing) or local/ (a twin for one machine); both pass the same
// contract suite in test/adapters. Errors are PetraErrors with the codes named here, never an SDK's.

import type {
  ClusterKind,
  ClusterRecord,
  LedgerEvent,
  Lock,
  OperationRecord,
  ResidueLine,
  ResourceRecord,
  StepRecord,
} from './fleet.ts';

export interface Clock {
  now(): Date;
}

export interface Page<T> {
  readonly items: readonly T[];
  /** Pass back to get the next page; absent on the last. */
  readonly cursor?: string;
}

/** What a lock holder must show to write: a write with an older fence is refused with `LeaseLost`. */
export interface Lease {
  readonly cluster: string;
  readonly uid: string;
  readonly fence: number;
}

/** Fields of a cluster that an operation may change. `null` removes a field. */
export type ClusterChange = {
  readonly [K in 'phase' | 'materialized' | 'deletionProtection' | 'updatedAt']?: ClusterRecord[K];
} & {
  readonly [K in 'observed' | 'readyAt' | 'deletedAt' | 'findings']?: ClusterRecord[K] | null;
};

/** The fleet: one record per cluster. Every write is one conditional write of one item. */
export interface FleetStore {
  /**
   * Adds a cluster, its lock already taken. The name must be free: absent, or a tombstone (`Deleted`).
   * @throws NameTaken when it is not, with the present record as `details`.
   */
  add(record: ClusterRecord): Promise<void>;
  /** The record, strongly consistent; tombstones included. */
  find(name: string): Promise<ClusterRecord | undefined>;
  /**
   * Clusters that exist (no tombstones), by name, at most 100 a page. May miss or still have one for moments after
   * a write; the records themselves are as they are now. @throws InvalidRequest for a cursor that is not its own
   */
  list(query: {
    readonly kind?: ClusterKind;
    readonly management?: string;
    readonly limit?: number;
    readonly cursor?: string;
  }): Promise<Page<ClusterRecord>>;
  /**
   * Takes the lock for a new operation and sets what comes with it. Succeeds when the cluster has this uid, its
   * fence is still `expectedFence`, and no lock is held or the held one had expired at `now`.
   * @throws OperationInProgress when someone else was faster, with the present record as `details`.
   * @throws ClusterNotFound when the cluster is deleted or was never added.
   */
  acquire(
    name: string,
    expected: { readonly uid: string; readonly fence: number; readonly now: string },
    next: Pick<ClusterRecord, 'phase' | 'operation' | 'spec' | 'specHash' | 'region' | 'updatedAt'> & {
      readonly lock: Lock;
    },
  ): Promise<ClusterRecord>;
  /** Renews the lock until `expiresAt`. @throws LeaseLost */
  renew(lease: Lease, expiresAt: string): Promise<ClusterRecord>;
  /** Changes fields under the lock. @throws LeaseLost */
  update(lease: Lease, change: ClusterChange): Promise<ClusterRecord>;
  /** Changes fields and gives the lock back. Safe to repeat: `LeaseLost` when it is no longer held. */
  release(lease: Lease, change: ClusterChange): Promise<ClusterRecord>;
  /** Changes fields of a cluster that nobody holds. @throws OperationInProgress, ClusterNotFound */
  updateUnlocked(name: string, uid: string, change: ClusterChange): Promise<ClusterRecord>;
  /** Removes the lock whoever holds it, and makes its fence stale. @throws NotLocked, ClusterNotFound */
  forceUnlock(name: string, uid: string, updatedAt: string): Promise<ClusterRecord>;
}

/** What was done. A write to an operation that was never added throws OperationNotFound. */
export interface Operations {
  /** Records a new operation. An operation with this id already there is left as it is: safe to repeat. */
  add(record: OperationRecord): Promise<void>;
  find(id: string): Promise<OperationRecord | undefined>;
  /** Newest first, at most 100 a page; of one cluster (by name, across its lives), or of the whole fleet. @throws InvalidRequest */
  list(query: {
    readonly cluster?: string;
    readonly limit?: number;
    readonly cursor?: string;
  }): Promise<Page<OperationRecord>>;
  /** Writes one step, replacing what was known of it (key: its name). */
  recordStep(id: string, step: StepRecord): Promise<void>;
  /** Adds warnings (a set, read back in alphabetical order: repeating adds nothing). */
  warn(id: string, warnings: readonly string[]): Promise<void>;
  /** Ends an operation that is `Running`; leaves an ended one as it is. */
  finish(id: string, end: Pick<OperationRecord, 'status' | 'endedAt' | 'failure'>): Promise<void>;
  /** Keeps what a removal looked for and found; the last report replaces earlier ones. @throws OperationNotFound */
  keepResidue(id: string, residue: readonly ResidueLine[]): Promise<void>;
}

/** Append-only history of a cluster: successes and failures, and who asked. */
export interface Ledger {
  append(event: Omit<LedgerEvent, 'seq'>): Promise<void>;
  /**
   * Oldest first, at most 100 a page; `after` is an event's `<at>#<seq>`, exclusive, as the cursor is. Or it is a time
   * alone: everything from then on. Survives the cluster. @throws InvalidRequest
   */
  list(
    cluster: string,
    query: { readonly after?: string; readonly limit?: number },
  ): Promise<Page<LedgerEvent>>;
}

/** What Petra made for a cluster, written before it is made and completed after. */
export interface ResourceLedger {
  intend(resource: Pick<ResourceRecord, 'cluster' | 'uid' | 'type' | 'key' | 'at'>): Promise<void>;
  made(
    resource: Pick<ResourceRecord, 'cluster' | 'uid' | 'type' | 'key' | 'at'> & { readonly id: string },
  ): Promise<void>;
  removed(resource: Pick<ResourceRecord, 'cluster' | 'uid' | 'type' | 'key' | 'at'>): Promise<void>;
  /** Everything ever recorded for this life of the cluster, removed ones included. */
  list(cluster: string, uid: string): Promise<readonly ResourceRecord[]>;
}

/** Starts state machines, and says what became of an execution. */
export interface Workflows {
  /** Starts the verb's state machine under the operation's id. Safe to repeat: an id that already runs is left alone. */
  start(execution: {
    readonly id: string;
    readonly verb: OperationRecord['verb'];
    readonly input: WorkflowInput;
  }): Promise<void>;
  /** Where the execution of this operation is; `absent` when none was started under its id. */
  state(operation: { readonly id: string; readonly verb: OperationRecord['verb'] }): Promise<ExecutionState>;
}

/** `aborted`: a person ended it. */
export type ExecutionState = 'running' | 'succeeded' | 'failed' | 'aborted' | 'absent';

/** The whole input of an execution: ids and small facts only, never a spec, manifest, secret or kubeconfig. */
export interface WorkflowInput {
  readonly operation: {
    readonly id: string;
    readonly verb: OperationRecord['verb'];
    readonly cluster: string;
    readonly uid: string;
    readonly fence: number;
  };
}

/** A node of a management cluster. */
export interface Machine {
  readonly id: string;
  readonly name: string;
  readonly role: MachineRole;
  readonly state: 'pending' | 'running' | 'stopping' | 'terminated';
  readonly address: string;
  /** The last word of its boot, which the machine leaves in a tag of its own; absent until it has said one. */
  readonly progress?: string;
}

/** What an instance type is, as far as quotas and images depend on it. */
export interface InstanceType {
  readonly vcpus: number;
  readonly architecture: Architecture;
}

export type Architecture = 'amd64' | 'arm64';

export type MachineRole = 'server' | 'agent';

export interface MachineRequest {
  readonly cluster: string;
  readonly uid: string;
  readonly region: string;
  /** Natural key within the cluster, for example `server-0`; with the uid it is the idempotency token. */
  readonly name: string;
  readonly role: MachineRole;
  readonly instanceType: string;
  /** Servers only: the reserved interface that gives the machine its stable address. */
  readonly interfaceId?: string;
  /** Plain text; the adapter compresses and encodes. At most 16,384 bytes when gzipped. */
  readonly userData: string;
}

/** Compute for management nodes, and what the region has of it. */
export interface Machines {
  /** For each instance type, the availability zones that offer it (none: an empty list). @throws Throttled, AwsUnavailable */
  offerings(
    region: string,
    instanceTypes: readonly string[],
  ): Promise<ReadonlyMap<string, readonly string[]>>;
  /** What these types are; one that the region does not know is absent. @throws Throttled, AwsUnavailable */
  types(region: string, instanceTypes: readonly string[]): Promise<ReadonlyMap<string, InstanceType>>;
  /** Id of the image that a management node of this architecture would boot now. @throws ImageNotFound */
  image(region: string, architecture: Architecture): Promise<string>;
  /** Names of the region's availability zones that an account can use. */
  zones(region: string): Promise<readonly string[]>;
  /**
   * The machine of this cluster and name: the living one with these tags, or a new one. Safe to repeat.
   * @throws CapacityUnavailable, QuotaExceeded, Throttled, AwsUnavailable
   */
  launch(request: MachineRequest): Promise<Machine>;
  /** Every machine tagged with this uid that is not terminated. */
  list(region: string, uid: string): Promise<readonly Machine[]>;
  /** Ends machines by id; one already gone is success. */
  terminate(region: string, ids: readonly string[]): Promise<void>;
  /** The last lines of what the machine wrote to its console; empty when there is nothing yet. */
  consoleOutput(region: string, id: string): Promise<readonly string[]>;
}

export interface NetworkInterface {
  readonly id: string;
  readonly name: string;
  readonly address: string;
}

/** Stable addresses for servers. */
export interface Networks {
  /** Whether `attachPublicAddress` gives any: Elastic IPs, of which accounts have few. */
  readonly publicAddresses: boolean;
  /** The interface of this cluster and name, found by tag or made. Safe to repeat. @throws QuotaExceeded, Throttled, AwsUnavailable */
  reserveInterface(request: {
    readonly cluster: string;
    readonly uid: string;
    readonly region: string;
    readonly name: string;
  }): Promise<NetworkInterface>;
  listInterfaces(region: string, uid: string): Promise<readonly NetworkInterface[]>;
  /** Releases by id; one already gone is success. Fails while a machine uses it (`AwsUnavailable`, retryable). */
  releaseInterface(region: string, id: string): Promise<void>;
  /**
   * A public address on a reserved interface, found by tag or made: EC2 gives a machine none by itself when it starts
   * on an interface that exists. Undefined where the network gives its nodes another way out. Safe to repeat.
   * @throws QuotaExceeded, Throttled, AwsUnavailable
   */
  attachPublicAddress(request: {
    readonly cluster: string;
    readonly uid: string;
    readonly region: string;
    readonly name: string;
    readonly interfaceId: string;
  }): Promise<PublicAddress | undefined>;
  listPublicAddresses(region: string, uid: string): Promise<readonly PublicAddress[]>;
  /** Detaches and gives back by id; one already gone is success. */
  releasePublicAddress(region: string, id: string): Promise<void>;
}

export interface PublicAddress {
  /** For example `eipalloc-0a1b2c3d4e5f60718`. */
  readonly id: string;
  /** Name of the interface it is for. */
  readonly name: string;
  readonly address: string;
}

/** What a machine says of itself when its Kubernetes does not, without a shell on it. */
export interface NodeDiagnosis {
  /**
   * Lines for people: whether the machine's agent is heard of, the state of its services, the end of their logs. Never
   * throws for a machine that cannot be asked; it says so in a line. Takes up to about 20 s.
   */
  report(region: string, machineIds: readonly string[]): Promise<readonly string[]>;
}

/** What AWS limits that clusters take. */
export type QuotaName =
  | 'standardVcpus'
  | 'elasticIps'
  | 'natGatewaysPerZone'
  | 'vpcs'
  | 'internetGateways'
  | 'networkLoadBalancers';

export interface Quota {
  /** Code in Service Quotas, for example `L-1216C47A`. */
  readonly code: string;
  readonly title: string;
  readonly limit: number;
  /** How much of it the account uses in the region now; NAT gateways: in the zone that has most. */
  readonly used: number;
}

/** Service quotas of the account, with their present use. */
export interface Quotas {
  /** One that cannot be read is absent. @throws Throttled, AwsUnavailable, AwsAccessDenied */
  read(region: string, names: readonly QuotaName[]): Promise<ReadonlyMap<QuotaName, Quota>>;
}

/** What the role that CAPA will work under may do. */
export interface Permissions {
  /** Those of the actions (`ec2:CreateVpc`) that are denied in the region. @throws Throttled, AwsUnavailable, AwsAccessDenied */
  denied(region: string, actions: readonly string[]): Promise<readonly string[]>;
}

/** Tells the world outside what happened, for people's own automation. */
export interface Events {
  /** Hands over one line of the ledger. At most once: who must not miss any reads the ledger. @throws Throttled, AwsUnavailable */
  publish(event: Omit<LedgerEvent, 'seq'>): Promise<void>;
}

/** Numbers to watch and to be alarmed by. */
export interface Metrics {
  /** Adds to each metric of these names; never throws. */
  record(values: Readonly<Record<string, number>>): void;
}

/** Kubeconfigs and join tokens. Names are paths, for example `petra/<uid>/kubeconfig`. */
export interface Secrets {
  /** Writes the value only if the secret does not exist; `false` when it did. Tagged with the uid. */
  createOnce(secret: {
    readonly name: string;
    readonly cluster: string;
    readonly uid: string;
    readonly value: string;
  }): Promise<boolean>;
  /** Writes the value, creating the secret if needed. */
  put(secret: {
    readonly name: string;
    readonly cluster: string;
    readonly uid: string;
    readonly value: string;
  }): Promise<void>;
  read(name: string): Promise<string | undefined>;
  /** Names of all secrets tagged with this uid. */
  list(uid: string): Promise<readonly string[]>;
  /** Removes at once, without a recovery window; one already gone is success. */
  remove(name: string): Promise<void>;
}

/** Content-addressed storage of release files (S3 on AWS). */
export interface Artifacts {
  /** Stores the text and returns its sha256 in hex. Safe to repeat. */
  store(text: string): Promise<string>;
  /** @throws ReleaseCorrupt when the content does not match its name. */
  read(sha256: string): Promise<string | undefined>;
}

/** A file of a release: `https://github.com/<repository>/releases/download/<version>/<file>` upstream. */
export interface ReleaseAsset {
  readonly repository: string;
  readonly version: string;
  readonly file: string;
}

/** Where provider releases come from. */
export interface Releases {
  /** Says what kind of repository this is, for warnings: upstream, a mirror, or the synthetic one of a local Petra. */
  readonly kind: 'upstream' | 'mirror' | 'synthetic';
  /** The file as text. @throws ReleaseNotFound, ReleaseUnreachable, ReleaseCorrupt (not text, or a web page) */
  fetch(asset: ReleaseAsset): Promise<string>;
}

/** Finds what exists by tag, across services: the other way of looking, independent of any ledger. */
export interface TaggedResources {
  /** Ids (with their type) of everything in the region that has this tag and is not already going away. */
  find(
    region: string,
    tag: { readonly key: string; readonly value: string },
  ): Promise<readonly TaggedResource[]>;
}

export interface TaggedResource {
  /** For example `ec2:instance`, `ec2:network-interface`, `elasticloadbalancing:loadbalancer`. */
  readonly type: string;
  readonly id: string;
}

/** Any Kubernetes object, as JSON. */
export interface KubernetesObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly uid?: string;
    readonly resourceVersion?: string;
    readonly generation?: number;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly finalizers?: readonly string[];
    readonly deletionTimestamp?: string;
    readonly ownerReferences?: readonly {
      readonly apiVersion: string;
      readonly kind: string;
      readonly name: string;
      readonly uid: string;
      readonly controller?: boolean;
    }[];
    readonly [field: string]: unknown;
  };
  readonly [field: string]: unknown;
}

export interface ObjectReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly namespace?: string;
}

/**
 * One cluster's API. Every call may throw KubernetesUnreachable, KubernetesUnauthorized, KubernetesThrottled;
 * the first and last are worth a retry.
 */
export interface Kubernetes {
  /**
   * Server-side apply as field manager `petra`, forced. Safe to repeat. The object is sent as it is, unknown fields included.
   * With `dryRun` nothing is stored, but admission runs.
   * @throws ObjectRefused, ObjectConflict, WebhookUnavailable
   */
  apply(object: KubernetesObject, options?: { readonly dryRun?: boolean }): Promise<KubernetesObject>;
  read(reference: ObjectReference): Promise<KubernetesObject | undefined>;
  /** All pages. A kind that is not served is an empty list. */
  list(
    kind: { readonly apiVersion: string; readonly kind: string },
    query?: { readonly namespace?: string; readonly labelSelector?: string },
  ): Promise<readonly KubernetesObject[]>;
  /** Asks for deletion, only of the object with this uid when one is given. Already gone is success. @throws ObjectConflict */
  remove(reference: ObjectReference, options?: { readonly uid?: string }): Promise<void>;
  /** Whether the cluster lets a program do something, by its own word. Roles that were just applied may not count yet. */
  allows(question: AccessQuestion): Promise<boolean>;
}

/** Whether a ServiceAccount may do something with all objects of a resource, in every namespace. */
export interface AccessQuestion {
  readonly serviceAccount: { readonly namespace: string; readonly name: string };
  /** For example `list`. */
  readonly verb: string;
  /** API group; empty for the core. */
  readonly group: string;
  /** In the plural: `awsclusters`. */
  readonly resource: string;
}

export interface KubernetesAccess {
  /** A client for the cluster in a kubeconfig's current context. Does not connect yet. */
  connect(kubeconfig: string): Kubernetes;
}
