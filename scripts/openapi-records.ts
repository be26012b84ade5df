// Schemas of single values and of the records in core/fleet.ts that the API's answers are put together from.

import type { FindingView } from '../core/api/contract.ts';
import type {
  ClusterKind,
  Failure,
  Finding,
  LedgerEvent,
  Lock,
  ObservedState,
  OperationOptions,
  OperationSummary,
  Phase,
  ResidueLine,
  ResourceRecord,
  StepRecord,
  Verb,
} from '../core/fleet.ts';
import {
  choice,
  type Fields,
  flag,
  integer,
  list,
  object,
  optional,
  ref,
  text,
  time,
  uuid,
} from './openapi-shape.ts';

export const clusterName = text('Name of the cluster.', 'workload-dev');
export const operationId = text(
  'Id of the operation: `<verb>-<cluster>-<first 8 of the uid>-<attempt>`.',
  'create-workload-dev-1a2b3c4d-1',
);
export const caller = text("Who asked: a caller's ARN, or `local:<user>`.", 'local:ada');
export const uid = uuid("Never reused, unlike the name; in the tags of every resource of the cluster's.");
export const fence = integer(
  'Grows with every new holder of the lock; a write that carries an older one is refused.',
);
export const region = text('AWS region.', 'us-west-1');

export const verb = choice<Verb>('What the operation does.', {
  init: 'make a management cluster',
  create: 'make a workload cluster',
  delete: 'remove a workload cluster',
  destroy: 'remove a management cluster',
});

export const phase = choice<Phase>('Where the cluster is in its life.', {
  Initializing: '`init` runs',
  Creating: '`create` runs',
  Ready: 'all is as the spec says, as far as Petra saw',
  Deleting: '`delete` runs',
  Destroying: '`destroy` runs',
  Failed: 'the last operation failed and nothing runs; the same command again resumes it',
  Deleted: 'gone; the name is free again',
});

export const kind = choice<ClusterKind>('What the cluster is for.', {
  management: 'runs Cluster API',
  workload: 'is made by a management cluster',
});

export const source = choice<Failure['source']>('Who can do something about it.', {
  user: 'the caller',
  aws: 'whoever looks after the AWS account',
  kubernetes: 'whoever looks after the cluster in question',
  petra: 'whoever runs Petra',
});

export const code = text('Stable name of the error; docs/errors.md explains each.', 'ClusterNotFound');
export const message = text('What went wrong, in this case.');
export const fix = text('What to do about it.');
export const retryable = flag('Whether the same request may succeed later with nothing changed.');
export const evidence = list('What was seen at the time: conditions, console output.', { type: 'string' });

export const observedState = object<ObservedState>(
  'What Petra last saw of a workload cluster in Cluster API.',
  {
    phase: optional(text("The Cluster object's own phase.", 'Provisioned')),
    controlPlaneReplicas: optional(integer('Control-plane machines that are wanted.')),
    controlPlaneReadyReplicas: optional(integer('Control-plane machines that are ready.')),
    workerReplicas: optional(integer('Workers that are wanted.')),
    workerReadyReplicas: optional(integer('Workers that are ready.')),
    version: optional(text('Version of k3s, as the control plane reports it.', 'v1.35.3+k3s1')),
    endpoint: optional(text("Host of the cluster's API.")),
    messages: optional(list('Conditions that are not true, root cause first.', { type: 'string' })),
    observedAt: time('When it was seen.'),
  },
);

const findingFields: Fields<Finding> = {
  code: choice<Finding['code']>('Stable name of what is amiss.', {
    ClusterGone: 'the Cluster object of a ready cluster is not on its management cluster any more',
    ClusterUnknown: 'the management cluster has Cluster objects that are in no record',
    ClusterEdited: 'somebody else changed a field of the Cluster object that Petra wrote',
    ClusterUnhealthy: 'control plane, workers or nodes are not ready',
    VersionDiffers: 'what runs is of another version than the spec says',
    ManagementUnreachable: "the management cluster's API cannot be used",
    LockStale: 'an operation stopped renewing its lock',
  }),
  message: text('What was seen.'),
  fix,
  since: time('When it was first seen.'),
};

export const finding = object<Finding>(
  'Something that is not as it should be, found by reconciliation.',
  findingFields,
);

export const findingView = object<FindingView>('A finding, and the cluster it is about.', {
  cluster: clusterName,
  kind,
  management: optional(text('Name of its management cluster; workload clusters only.', 'petra-mgmt')),
  ...findingFields,
});

export const lock = object<Lock>('The single writer of a cluster: a lease, which its holder renews.', {
  operationId,
  fence,
  holder: caller,
  acquiredAt: time('When it was taken.'),
  expiresAt: time('When another operation may take it, unless it is renewed.'),
});

export const operationSummary = object<OperationSummary>('Which operation was the last of a cluster.', {
  id: operationId,
  verb,
  attempt: integer('1 for the first; each repetition after a failure is the next.'),
  options: ref('OperationOptions'),
  supersedes: optional(text('The operation whose stale lock this one took over.', 'create-dev-1b4e28ba-1')),
});

export const operationOptions = object<OperationOptions>('How an operation was asked for.', {
  cascade: optional(flag('destroy: workload clusters are deleted first.')),
  accept: optional(
    list('init and create: codes of findings of the preflight in spite of which the operation goes on.', {
      type: 'string',
    }),
  ),
});

export const stepRecord = object<StepRecord>('One state as the operation saw it.', {
  name: text('Name of the state.', 'LaunchServers'),
  status: choice<StepRecord['status']>('Whether it runs, and how it ended.', {
    Running: '',
    Succeeded: '',
    Failed: '',
  }),
  startedAt: time('When it began.'),
  endedAt: optional(time('When it ended.')),
  runs: integer('How often it ran: polls and retries count.'),
  message: optional(text('What it waits for, or what it did; one line.')),
  failure: optional(ref('Failure', 'Why its last run failed.')),
});

export const residueLine = object<ResidueLine>('One kind of thing that was looked for after a removal.', {
  type: text('What was looked for.', "Petra's AWS resources"),
  searched: text('How.', 'tag petra.sh/uid=… in us-west-1'),
  found: list('Ids of what was found; empty when nothing is left.', { type: 'string' }),
});

export const failure = object<Failure>('Why an operation or a step failed.', {
  code,
  message,
  fix,
  retryable,
  source,
  step: optional(text('The state in which it happened.', 'CheckApi')),
  evidence: optional(evidence),
  causes: optional(list('Messages of the errors underneath, outermost first.', { type: 'string' })),
});

export const resourceRecord = object<ResourceRecord>('An AWS resource that Petra makes itself.', {
  cluster: clusterName,
  uid,
  type: choice<ResourceRecord['type']>('What it is.', {
    'network-interface': '',
    'elastic-ip': '',
    instance: '',
    secret: '',
  }),
  key: text('Name within the cluster.', 'server-0'),
  state: choice<ResourceRecord['state']>('How far it is.', {
    intended: 'written down before it is made',
    made: 'it exists, under `id`',
    removed: 'it was removed',
  }),
  id: optional(text('Its id on AWS, once it is known.')),
  at: time('When this was written.'),
});

export const ledgerEvent = object<LedgerEvent>(
  "One line of a cluster's history, which is only ever added to.",
  {
    cluster: clusterName,
    uid,
    at: time('When it happened.'),
    seq: text('Tells events of one instant apart.'),
    operationId: optional(operationId),
    verb: choice<LedgerEvent['verb']>('What was done.', {
      init: '',
      create: '',
      delete: '',
      destroy: '',
      unlock: 'a lock was taken away',
      protect: 'deletion protection was changed',
      reconcile: 'the scheduled reconciliation',
      restart: 'a local Petra was started again and goes on with the operation',
    }),
    step: optional(text('The state; absent for the operation as a whole.')),
    outcome: choice<LedgerEvent['outcome']>('How it went.', {
      started: '',
      attached: 'another caller follows the operation',
      succeeded: '',
      failed: '',
      refused: '',
      warned: 'a finding that stops nothing',
      accepted: 'a finding in spite of which its caller wanted to go on',
    }),
    code: optional(code),
    message: optional(text('What happened, in one line.')),
    caller,
    durationMs: optional(integer('How long it took, in milliseconds.')),
  },
);
