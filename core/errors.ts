import type { Failure } from './fleet.ts';

interface CatalogueEntry {
  /** Who can do something about it. */
  readonly source: Failure['source'];
  /** HTTP status of the API's answer. */
  readonly status: number;
  /** Exit code of the CLI (architecture: 1 failed, 2 usage or spec, 3 not found, 4 conflict, 5 not allowed, 6 timed out, 7 unreachable). */
  readonly exit: 1 | 2 | 3 | 4 | 5 | 6 | 7;
  /** Whether the same command may succeed later without any change. */
  readonly retryable: boolean;
  /** What it means, for docs/errors.md: one or two sentences. */
  readonly cause: string;
  /** The default next step. */
  readonly fix: string;
}

/** Every failure Petra names. The names are a contract with state machines, scripts and docs/errors.md. */
export const errorCatalogue = {
  InvalidSpec: {
    source: 'user',
    status: 422,
    exit: 2,
    retryable: false,
    cause: 'The spec file has problems; all of them are listed with path, line and column.',
    fix: 'Correct the listed places; `petra validate -f FILE` checks without sending anything.',
  },
  InvalidUsage: {
    source: 'user',
    status: 400,
    exit: 2,
    retryable: false,
    cause: 'A command was called with a wrong flag, argument or combination of both.',
    fix: 'See `petra COMMAND --help`.',
  },
  InvalidRequest: {
    source: 'user',
    status: 400,
    exit: 2,
    retryable: false,
    cause: 'A request to the API has a wrong parameter or body.',
    fix: 'See the message; docs/openapi.json describes every route.',
  },
  ConfirmationRequired: {
    source: 'user',
    status: 400,
    exit: 5,
    retryable: false,
    cause:
      'A command that removes something was not confirmed: the typed name was different, or there is no terminal to ask on.',
    fix: "Type the cluster's name when asked, or pass --yes.",
  },
  Unauthorized: {
    source: 'user',
    status: 401,
    exit: 5,
    retryable: false,
    cause: "The API did not accept the caller's credentials.",
    fix: 'Set PETRA_TOKEN to the token of the Petra at PETRA_ENDPOINT; for a local one, unset both and use its state folder.',
  },
  Forbidden: {
    source: 'user',
    status: 403,
    exit: 5,
    retryable: false,
    cause: 'The API refused the request because of where it came from.',
    fix: 'Call the API from this machine by its loopback address; browsers are not allowed in.',
  },
  CredentialsMissing: {
    source: 'user',
    status: 401,
    exit: 5,
    retryable: false,
    cause: 'The Petra is on AWS, and no AWS credentials were found to sign a request with.',
    fix: 'Run `aws configure sso` and `aws sso login`, or choose a profile with --profile.',
  },
  CredentialsExpired: {
    source: 'user',
    status: 401,
    exit: 5,
    retryable: false,
    cause: 'The AWS credentials of the caller have expired. What runs on AWS goes on without them.',
    fix: 'Log in again (`aws sso login`), then run the same command again.',
  },
  CredentialsRefused: {
    source: 'user',
    status: 401,
    exit: 5,
    retryable: false,
    cause: 'AWS does not know the access key of the caller, or its secret is wrong.',
    fix: 'Choose other credentials with --profile, or correct these.',
  },
  ClockSkewed: {
    source: 'user',
    status: 401,
    exit: 5,
    retryable: false,
    cause: "The clock of the caller's machine is wrong; AWS takes signatures of the last five minutes only.",
    fix: 'Set the clock, best by a time service, then run the same command again.',
  },
  PermissionMissing: {
    source: 'user',
    status: 403,
    exit: 5,
    retryable: false,
    cause:
      'IAM does not allow the caller an action that the command needs. The message names the action and resource.',
    fix: 'Allow the caller the action, or choose other credentials with --profile.',
  },
  WrongRegion: {
    source: 'user',
    status: 400,
    exit: 2,
    retryable: false,
    cause: 'A request was to be signed for another region than that of the Petra it goes to.',
    fix: "Give the region of the Petra's stack with --region, or leave the option out.",
  },
  StackNotFound: {
    source: 'user',
    status: 404,
    exit: 3,
    retryable: false,
    cause: 'The account has no stack of Petra of this name in this region.',
    fix: 'Check the name, --region and --profile, or deploy the stack.',
  },
  ClusterNotFound: {
    source: 'user',
    status: 404,
    exit: 3,
    retryable: false,
    cause: 'No cluster of this name is in the fleet.',
    fix: '`petra capi list --all` shows the names.',
  },
  OperationNotFound: {
    source: 'user',
    status: 404,
    exit: 3,
    retryable: false,
    cause: 'No operation of this id is known.',
    fix: '`petra capi operations` shows the ids.',
  },
  NoManagementCluster: {
    source: 'user',
    status: 409,
    exit: 4,
    retryable: false,
    cause: 'A workload cluster needs a management cluster, and the fleet has none that is ready.',
    fix: 'Run `petra capi init -f management.yaml` first.',
  },
  AmbiguousManagementCluster: {
    source: 'user',
    status: 409,
    exit: 4,
    retryable: false,
    cause: 'The fleet has several management clusters, and the command does not say which one to use.',
    fix: 'Add `--management NAME`.',
  },
  ManagementClusterNotReady: {
    source: 'user',
    status: 409,
    exit: 4,
    retryable: true,
    cause: 'The management cluster exists, but is not ready.',
    fix: '`petra capi describe NAME` shows its state; repeat `petra capi init -f FILE` when its last operation failed.',
  },
  NameTaken: {
    source: 'user',
    status: 409,
    exit: 4,
    retryable: false,
    cause: 'The name belongs to a cluster of the other kind, or to one on another management cluster.',
    fix: 'Choose another metadata.name, or delete the cluster that has it.',
  },
  OperationInProgress: {
    source: 'user',
    status: 409,
    exit: 4,
    retryable: true,
    cause: "Another operation holds the cluster's lock.",
    fix: 'Wait for it (`petra capi operations`), or run `petra capi unlock NAME` if its holder is certainly gone.',
  },
  SpecDiffers: {
    source: 'user',
    status: 409,
    exit: 4,
    retryable: false,
    cause: 'The cluster exists with another spec; changing living clusters is not supported yet.',
    fix: 'Use the spec it was made with, or delete the cluster and create it anew.',
  },
  DeletionUnfinished: {
    source: 'user',
    status: 409,
    exit: 4,
    retryable: false,
    cause: "The cluster's removal began and did not end, so it cannot be made again yet.",
    fix: 'Repeat the delete or destroy command until it succeeds.',
  },
  DeletionProtected: {
    source: 'user',
    status: 409,
    exit: 5,
    retryable: false,
    cause: 'The cluster has deletion protection.',
    fix: 'Set spec.deletionProtection to false in its file, run `petra capi create -f FILE` (or init) again, then delete.',
  },
  WorkloadClustersExist: {
    source: 'user',
    status: 409,
    exit: 4,
    retryable: false,
    cause:
      'The management cluster still has workload clusters; without it, nothing could remove their AWS resources.',
    fix: 'Delete them first, or add --cascade to delete them and wait.',
  },
  KubeconfigNotReady: {
    source: 'user',
    status: 409,
    exit: 4,
    retryable: true,
    cause: "The cluster's kubeconfig does not exist yet.",
    fix: 'Wait until the cluster is Ready: `petra capi describe NAME`.',
  },
  NotLocked: {
    source: 'user',
    status: 409,
    exit: 4,
    retryable: false,
    cause: 'There is no lock to remove.',
    fix: 'Nothing to do.',
  },
  RegionMismatch: {
    source: 'user',
    status: 422,
    exit: 2,
    retryable: false,
    cause: 'A management cluster must be in the region of the Petra stack that makes it.',
    fix: "Set spec.target.region to the stack's region, or use the stack of that region.",
  },
  ReleaseNotFound: {
    source: 'user',
    status: 422,
    exit: 2,
    retryable: false,
    cause: 'A provider version was never released, or its files are not in the repository in use.',
    fix: 'Use a released version; the message names the nearest.',
  },
  IncompatibleProviders: {
    source: 'user',
    status: 422,
    exit: 2,
    retryable: false,
    cause: 'The provider versions cannot work together: release series, contract, or the k3s pair differ.',
    fix: 'Use a set from the message, or see docs/spec.md.',
  },
  ReleaseCorrupt: {
    source: 'petra',
    status: 502,
    exit: 1,
    retryable: true,
    cause: 'A downloaded release file is not what it should be: checksum, YAML or metadata.',
    fix: "Repeat; if it stays, compare the file in the repository with upstream's.",
  },
  ReleaseUnreachable: {
    source: 'petra',
    status: 502,
    exit: 1,
    retryable: true,
    cause: 'The repository of provider releases could not be reached.',
    fix: "Check the repository's address and the network, then repeat the command.",
  },
  VariablesMissing: {
    source: 'user',
    status: 422,
    exit: 2,
    retryable: false,
    cause: "A provider's manifest has variables without a value; all are named.",
    fix: 'Give the variables a value, or use a version of the provider that does not need them.',
  },
  InstanceTypeNotOffered: {
    source: 'user',
    status: 422,
    exit: 2,
    retryable: false,
    cause: 'The region does not offer an instance type of the spec.',
    fix: 'Choose an instance type the region offers.',
  },
  ImageNotFound: {
    source: 'user',
    status: 422,
    exit: 2,
    retryable: false,
    cause:
      'The machine image of management nodes does not exist in the region, for the architecture of an instance type.',
    fix: "Use instance types of another architecture, or set the image in the stack's context (`nodeImages`).",
  },
  CapacityUnavailable: {
    source: 'aws',
    status: 503,
    exit: 1,
    retryable: true,
    cause: 'EC2 has no capacity for the instance type in the zone at this time.',
    fix: 'Repeat the command later, or choose another instance type or zone.',
  },
  QuotaTooSmall: {
    source: 'aws',
    status: 409,
    exit: 1,
    retryable: false,
    cause:
      'A service quota of the account leaves less than the cluster needs; the message has the numbers. As a warning: less than it needs while its machines are replaced.',
    fix: 'Raise the quota in the Service Quotas console, free some of it, or go on in spite of it with `--accept QuotaTooSmall`.',
  },
  QuotaNearlyUsed: {
    source: 'aws',
    status: 409,
    exit: 1,
    retryable: false,
    cause: 'A warning of the preflight: with the cluster, more than 80 % of a service quota is used.',
    fix: 'Raise the quota in the Service Quotas console before the next cluster needs it.',
  },
  CapaPermissionMissing: {
    source: 'aws',
    status: 409,
    exit: 5,
    retryable: false,
    cause:
      'By a simulation of its policies, the role that CAPA works under may not do what making the cluster takes; the message names the actions.',
    fix: 'Allow the actions, or go on in spite of it with `--accept CapaPermissionMissing`: conditions of policies may be met that the simulation does not know.',
  },
  VersionsUnsupported: {
    source: 'user',
    status: 422,
    exit: 2,
    retryable: false,
    cause:
      'A warning of the preflight: upstream does not support the versions, alone or together, but nothing is known that stops them.',
    fix: 'Choose versions that are supported; the message says what is amiss.',
  },
  Unchecked: {
    source: 'petra',
    status: 503,
    exit: 1,
    retryable: true,
    cause: 'A warning of the preflight: something could not be checked, for the reason in the message.',
    fix: 'Look for yourself, or repeat the command when it can be asked.',
  },
  QuotaExceeded: {
    source: 'aws',
    status: 409,
    exit: 1,
    retryable: false,
    cause: 'A service quota of the account is used up.',
    fix: 'Raise the quota in the Service Quotas console, or free some of it, then repeat the command.',
  },
  Throttled: {
    source: 'aws',
    status: 503,
    exit: 1,
    retryable: true,
    cause: 'AWS asked Petra to slow down, and kept doing so through all retries.',
    fix: 'Repeat the command; it goes on where it stopped.',
  },
  AwsUnavailable: {
    source: 'aws',
    status: 503,
    exit: 1,
    retryable: true,
    cause: 'An AWS service did not answer, or answered with a fault of its own.',
    fix: 'Repeat the command; it goes on where it stopped.',
  },
  AwsAccessDenied: {
    source: 'aws',
    status: 502,
    exit: 5,
    retryable: false,
    cause: "AWS refused Petra's own credentials, or its role lacks the permission for a call.",
    fix: "Grant the permission in the message to Petra's role, or renew its credentials; then repeat the command.",
  },
  UserDataTooLarge: {
    source: 'petra',
    status: 500,
    exit: 1,
    retryable: false,
    cause: 'The user data of a machine is larger than EC2 takes: 16,384 bytes after compression.',
    fix: 'Shorten what the spec adds to it, for example addon values; if nothing was added, report it.',
  },
  MachineLost: {
    source: 'aws',
    status: 500,
    exit: 1,
    retryable: true,
    cause: 'A machine of the cluster was terminated while Petra was using it.',
    fix: 'Repeat the command; a new machine takes its place.',
  },
  BootTimedOut: {
    source: 'aws',
    status: 504,
    exit: 6,
    retryable: true,
    cause: 'A management node did not bring up its Kubernetes API in time.',
    fix: 'Read the console output in the evidence, then repeat the command; `destroy` removes what exists.',
  },
  NodesTimedOut: {
    source: 'kubernetes',
    status: 504,
    exit: 6,
    retryable: true,
    cause: 'Nodes of the management cluster did not become Ready in time.',
    fix: 'Read the evidence, then repeat the command.',
  },
  CertManagerTimedOut: {
    source: 'kubernetes',
    status: 504,
    exit: 6,
    retryable: true,
    cause: 'cert-manager did not begin to accept its resources in time.',
    fix: 'Read the evidence (pods, events), then repeat the command.',
  },
  ProviderTimedOut: {
    source: 'kubernetes',
    status: 504,
    exit: 6,
    retryable: true,
    cause: 'A Cluster API provider did not begin to work in time.',
    fix: 'Read what the provider lacks in the message and the evidence, then repeat the command.',
  },
  WebhooksTimedOut: {
    source: 'kubernetes',
    status: 504,
    exit: 6,
    retryable: true,
    cause:
      'The providers run, but no cluster can be made: a trial Cluster is refused, or the ClusterClass was not taken.',
    fix: 'Read the evidence, then repeat the command.',
  },
  ClusterTimedOut: {
    source: 'kubernetes',
    status: 504,
    exit: 6,
    retryable: true,
    cause: 'The workload cluster did not become ready in time.',
    fix: '`petra capi describe NAME` shows the root cause first; repeat the command to wait again.',
  },
  ClusterFailed: {
    source: 'kubernetes',
    status: 500,
    exit: 1,
    retryable: false,
    cause: 'Cluster API reports a terminal failure of the cluster, or has lost its network or control plane.',
    fix: '`petra capi describe NAME` shows the cause; delete the cluster and create it anew.',
  },
  DeletionTimedOut: {
    source: 'kubernetes',
    status: 504,
    exit: 6,
    retryable: true,
    cause: "The cluster's objects were not gone in time: a controller waits for something.",
    fix: 'Read the evidence (finalizers, messages), remove what blocks, then repeat the command.',
  },
  ResidueFound: {
    source: 'aws',
    status: 500,
    exit: 1,
    retryable: true,
    cause: 'After removal something of the cluster is still there.',
    fix: 'Repeat the command; if it stays, remove the listed resources by hand.',
  },
  WorkloadDeletionFailed: {
    source: 'petra',
    status: 500,
    exit: 1,
    retryable: true,
    cause: 'Cascading stopped because a workload cluster could not be deleted.',
    fix: "See that cluster's own operation; then repeat destroy --cascade.",
  },
  KubernetesUnreachable: {
    source: 'kubernetes',
    status: 503,
    exit: 1,
    retryable: true,
    cause: "The management cluster's API did not answer.",
    fix: 'Check that its machines run; then repeat the command.',
  },
  KubernetesUnauthorized: {
    source: 'kubernetes',
    status: 502,
    exit: 1,
    retryable: false,
    cause: "The management cluster's API refused Petra's credentials or permissions.",
    fix: 'The stored kubeconfig may be out of date; repeat `petra capi init -f FILE` to read it again.',
  },
  KubernetesThrottled: {
    source: 'kubernetes',
    status: 503,
    exit: 1,
    retryable: true,
    cause: "The management cluster's API asked Petra to slow down, through all retries.",
    fix: 'Repeat the command; it goes on where it stopped.',
  },
  ObjectRefused: {
    source: 'kubernetes',
    status: 422,
    exit: 1,
    retryable: false,
    cause: 'The API server or an admission webhook refused an object.',
    fix: 'Read the reason in the message; correct the spec it comes from, then repeat the command.',
  },
  ObjectConflict: {
    source: 'kubernetes',
    status: 409,
    exit: 1,
    retryable: true,
    cause: 'An object was changed or replaced by someone else at the same time.',
    fix: 'Repeat the command.',
  },
  WebhookUnavailable: {
    source: 'kubernetes',
    status: 503,
    exit: 1,
    retryable: true,
    cause: 'An admission webhook could not be called.',
    fix: 'Wait until its controller runs, then repeat the command.',
  },
  LeaseLost: {
    source: 'petra',
    status: 409,
    exit: 1,
    retryable: false,
    cause:
      "The operation no longer holds the cluster's lock: another took over after it was stale, or someone unlocked it.",
    fix: 'Nothing to do; see `petra capi operations` for the one that holds it now.',
  },
  OperationAbandoned: {
    source: 'petra',
    status: 500,
    exit: 1,
    retryable: true,
    cause: 'The operation was given up by `petra capi unlock`, or its lock went stale and another took over.',
    fix: 'Repeat the command to start a new attempt.',
  },
  StepTimedOut: {
    source: 'petra',
    status: 504,
    exit: 6,
    retryable: true,
    cause: 'A single step took longer than its state allows.',
    fix: 'Repeat the command; it goes on where it stopped.',
  },
  InternalError: {
    source: 'petra',
    status: 500,
    exit: 1,
    retryable: true,
    cause: 'Something Petra did not foresee.',
    fix: "Repeat the command; if it stays, report it with the operation's id and the causes shown.",
  },
  StorageUnavailable: {
    source: 'petra',
    status: 503,
    exit: 1,
    retryable: true,
    cause: "Petra's own storage refused a read or a write.",
    fix: 'Local: check free space and permissions of the state folder. AWS: check the table. Then repeat.',
  },
  LocalStartFailed: {
    source: 'petra',
    status: 500,
    exit: 7,
    retryable: true,
    cause: 'The local Petra did not start.',
    fix: 'See `petra local logs`; `petra local reset` starts from nothing.',
  },
  PetraUnreachable: {
    source: 'petra',
    status: 503,
    exit: 7,
    retryable: true,
    cause: 'The Petra API could not be reached.',
    fix: 'Check --endpoint or PETRA_ENDPOINT, or start a local one: `petra local up`.',
  },
  WaitTimedOut: {
    source: 'petra',
    status: 504,
    exit: 6,
    retryable: true,
    cause: 'The command stopped waiting; the operation goes on.',
    fix: 'Run the same command again to attach to it.',
  },
  FileUnreadable: {
    source: 'user',
    status: 400,
    exit: 2,
    retryable: false,
    cause: 'A file given to a command cannot be read or written.',
    fix: 'Check the path and its permissions.',
  },
} as const satisfies Record<string, CatalogueEntry>;

export type ErrorCode = keyof typeof errorCatalogue;

export interface ErrorDetails {
  /** Overrides the catalogue's next step with one that fits the case. */
  readonly fix?: string;
  /** The cluster it is about: takes the place of `NAME` in the catalogue's next step. */
  readonly cluster?: string;
  readonly evidence?: readonly string[];
  readonly cause?: unknown;
  /** Machine-readable particulars for `-o json`: names, differences, problems. */
  readonly details?: unknown;
}

/**
 * The one error class of Petra. `name` is the code, so that state machines can match it in `ErrorEquals`,
 * and stays literal when the bundle is minified.
 */
export class PetraError extends Error {
  readonly code: ErrorCode;
  readonly fix: string;
  readonly retryable: boolean;
  readonly source: Failure['source'];
  readonly evidence: readonly string[];
  readonly details: unknown;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    const entry: CatalogueEntry = errorCatalogue[code];
    this.name = code;
    this.code = code;
    this.fix = details.fix ?? entry.fix.replaceAll('NAME', details.cluster ?? 'NAME');
    this.retryable = entry.retryable;
    this.source = entry.source;
    this.evidence = details.evidence ?? [];
    this.details = details.details;
  }
}

/** Whether `error` is Petra's own and has this code. */
export function hasCode(error: unknown, ...codes: ErrorCode[]): error is PetraError {
  return error instanceof PetraError && codes.includes(error.code);
}

/** What an error says, of whatever was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
