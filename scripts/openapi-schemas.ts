// What the API's requests and answers look like: one schema for each type in core/api/contract.ts.

import type {
  ClusterView,
  CreateRequest,
  Health,
  InitRequest,
  KubeconfigAnswer,
  List,
  ObjectNode,
  ObjectTree,
  OperationAnswer,
  OperationView,
  PlannedStep,
  PreflightAnswer,
  PreflightRequest,
  Problem,
  UnlockAnswer,
} from '../core/api/contract.ts';
import { specJsonSchema } from '../core/capi/spec-fields.ts';
import { acceptableCodes, type FindingNumbers, type PreflightFinding } from '../core/preflight/finding.ts';
import type { PlannedItem, PreflightPlan } from '../core/preflight/plan.ts';
import {
  caller,
  clusterName,
  code,
  evidence,
  failure,
  fence,
  finding,
  findingView,
  fix,
  kind,
  ledgerEvent,
  lock,
  message,
  observedState,
  operationId,
  operationOptions,
  operationSummary,
  phase,
  region,
  residueLine,
  resourceRecord,
  retryable,
  source,
  stepRecord,
  uid,
  verb,
} from './openapi-records.ts';
import {
  choice,
  flag,
  integer,
  type JsonSchema,
  list,
  object,
  optional,
  ref,
  text,
  time,
} from './openapi-shape.ts';

const clusterView = object<ClusterView>('A cluster of the fleet.', {
  name: clusterName,
  uid,
  kind,
  management: optional(text('Name of its management cluster; workload clusters only.', 'petra-mgmt')),
  phase,
  region,
  version: text('Version of k3s.', 'v1.35.3+k3s1'),
  controlPlaneCount: integer('How many control-plane nodes the spec asks for.'),
  workerCount: integer('How many workers the spec asks for.'),
  deletionProtection: flag('Whether delete and destroy are refused.'),
  operation: ref('OperationSummary', 'The last operation, running or ended.'),
  lock: optional(ref('Lock', 'Who may change the cluster now; absent when nobody does.')),
  observed: optional(ref('ObservedState')),
  findings: optional(list('What is not as it should be, as the last reconciliation saw it.', ref('Finding'))),
  failure: optional(ref('Failure', 'Why the last operation failed. Only for a single cluster.')),
  createdAt: time('When its record was made.'),
  updatedAt: time('When its record was last changed.'),
  readyAt: optional(time('When it was Ready for the last time; absent once its removal has begun.')),
  spec: optional(ref('ClusterSpec', 'Every default filled in. Only for a single cluster.')),
  resources: optional(list('What Petra made for it. Only for a single cluster.', ref('ResourceRecord'))),
});

const operationView = object<OperationView>('One run of a verb on a cluster: one run of a state machine.', {
  id: operationId,
  verb,
  cluster: clusterName,
  uid,
  attempt: integer('1 for the first; each repetition after a failure is the next.'),
  fence,
  specHash: text('sha256 of the spec it works from, in hex; equal for specs that mean the same cluster.'),
  caller,
  status: choice<OperationView['status']>('Whether it runs, and how it ended.', {
    Running: '',
    Succeeded: '',
    Failed: 'see `failure`',
    Abandoned: 'it lost its lock, to `unlock` or to another operation',
  }),
  options: ref('OperationOptions'),
  startedAt: time('When it began.'),
  endedAt: optional(time('When it ended.')),
  steps: list('The states it went through, in the order in which they began.', ref('StepRecord')),
  failure: optional(ref('Failure')),
  warnings: list('What preflight found, and did not refuse.', { type: 'string' }),
  residue: optional(list('delete and destroy: what was looked for at the end.', ref('ResidueLine'))),
  estimateSeconds: optional({
    type: 'number',
    description:
      'Median duration of the same verb in the past, where it succeeded at once. Only while it runs.',
    minimum: 0,
  }),
  plannedSteps: list('Every state that does work, in order, when all goes well.', ref('PlannedStep')),
});

const plannedStep = object<PlannedStep>('A state that an operation goes through.', {
  name: text('Name of the state.', 'LaunchServers'),
  title: text('What a person reads.', 'launch the control plane'),
  phase: text('Groups steps for display.', 'machines'),
});

const operationAnswer = object<OperationAnswer>('What came of a request to change something.', {
  outcome: choice<OperationAnswer['outcome']>('What happened.', {
    started: 'a first attempt began',
    resumed: 'the next attempt after a failure began',
    attached: 'it was already running',
    unchanged: 'the cluster already is as asked; nothing runs',
    updated: 'only deletion protection was changed; nothing runs',
  }),
  cluster: ref('ClusterView'),
  operation: optional(ref('OperationView', 'Absent when nothing runs.')),
  warnings: list('What preflight found, and did not refuse.', { type: 'string' }),
});

const objectNode = object<ObjectNode>('An object of a cluster, with what belongs to it.', {
  kind: text('Kind of the object.', 'Machine'),
  name: text('Name of the object.'),
  ready: optional(
    choice<NonNullable<ObjectNode['ready']>>('Its condition `Ready`, or else `Available`.', {
      True: '',
      False: '',
      Unknown: '',
    }),
  ),
  reason: optional(text('Why, as a word.')),
  message: optional(text('Why, for people.')),
  since: optional(time('Since when.')),
  deleting: flag('Whether its deletion was asked for.'),
  conditions: list(
    'Everything it says of itself.',
    object<ObjectNode['conditions'][number]>('A condition.', {
      type: text('Name of the condition.'),
      status: text('Usually `True`, `False` or `Unknown`.'),
      reason: optional(text('Why, as a word.')),
      message: optional(text('Why, for people.')),
      since: optional(time('Since when.')),
    }),
  ),
  children: list('What it owns, by kind and name.', ref('ObjectNode')),
});

const objectTree = object<ObjectTree>("A cluster's objects as a tree.", {
  cluster: ref('ClusterView'),
  causes: list(
    'What stops the cluster, root cause first; empty when all is well.',
    object<ObjectTree['causes'][number]>('One complaint.', {
      object: text('Kind and name.', 'AWSMachine workload-dev-abc12'),
      condition: text('Which condition, or the code of the last operation.'),
      message: text('What it says.'),
    }),
  ),
  root: optional(ref('ObjectNode', 'Absent where there is no API to ask, or no objects.')),
});

const problem = object<Problem>("RFC 9457 problem details, with Petra's own members.", {
  type: {
    type: 'string',
    format: 'uri',
    description: 'Identifies the code; https://petra.sh/errors/ and the code.',
  },
  title: text('What the code means in general.'),
  status: integer("The answer's HTTP status."),
  code,
  message,
  fix,
  retryable,
  source,
  evidence: optional(evidence),
  details: optional({ description: 'Particulars for a program: names, differences, problems of a spec.' }),
});

function listOf(items: JsonSchema): JsonSchema {
  return object<List<unknown>>('A page of a list.', {
    items: list('The items of this page.', items),
    next: optional(text('Asks for the next page; absent on the last.')),
  });
}

/** The format of a spec as `petra schema` prints it. Its own identity stays behind: here it is part of a document. */
function clusterSpec(): object {
  const { $id: _id, $schema: _schema, ...schema } = { $id: '', $schema: '', ...specJsonSchema() };
  return schema;
}

/** A spec of one kind only. The other rules between fields are not in the schema: the answer names what they refuse. */
function specOf(part: JsonSchema, description: string): JsonSchema {
  return { ...ref('ClusterSpec', description), properties: { spec: part } };
}

const accept = list('Codes of findings of the preflight in spite of which to go on.', {
  type: 'string',
  enum: acceptableCodes,
});

const preflightFinding = object<PreflightFinding>('Something that speaks against making a cluster.', {
  code,
  severity: choice<PreflightFinding['severity']>('What it means.', {
    error: 'it stops the operation, unless it can be accepted and is',
    warning: 'it stops nothing',
  }),
  message: text('What was found.'),
  fix,
  path: optional(text('The field of the spec it is about.', 'spec.nodes.workers.instanceType')),
  numbers: optional(
    object<FindingNumbers>('A quota against what is needed of it.', {
      needed: integer('What this cluster takes in addition to what is used now.'),
      used: integer('What is used now.'),
      limit: integer('What there is.'),
      quotaCode: text('Code in Service Quotas.', 'L-0263D0A3'),
    }),
  ),
  acceptable: flag('Whether `accept` with its code lets an operation go on.'),
  evidence: optional(list('What was seen.', { type: 'string' })),
});

const preflightPlan = object<PreflightPlan>('What will be made, counted.', {
  zones: list('Of a network made for the cluster: the zones it will span, where they are known.', {
    type: 'string',
  }),
  items: list(
    'By kind.',
    object<PlannedItem>('One kind of thing.', {
      what: text('What it is.', 'NAT gateways'),
      count: integer('How many the finished cluster has.'),
      existing: integer('How many of them an earlier attempt left.'),
      surge: integer('How many more there are for a while when its machines are replaced.'),
      because: text('Where the number comes from.'),
      quota: optional(
        object<NonNullable<PlannedItem['quota']>>('The quota that limits it.', {
          code: text('Code in Service Quotas.', 'L-FE5A380F'),
          used: integer('What is used now, of the fullest zone where the quota is per zone.'),
          limit: integer('What there is.'),
        }),
      ),
    }),
  ),
  unchecked: list('What a preflight does not look at, by its nature.', { type: 'string' }),
});

/** Every schema of the document, by name. */
export function apiSchemas(): Readonly<Record<string, object>> {
  return {
    ClusterSpec: clusterSpec(),
    InitRequest: object<InitRequest>('Asks for a management cluster.', {
      spec: specOf({ required: ['management'] }, 'A spec with `spec.management`.'),
      accept: optional(accept),
    }),
    CreateRequest: object<CreateRequest>('Asks for a workload cluster.', {
      spec: specOf({ not: { required: ['management'] } }, 'A spec without `spec.management`.'),
      management: optional(text('Which management cluster; needed when several are Ready.', 'petra-mgmt')),
      accept: optional(accept),
    }),
    PreflightRequest: object<PreflightRequest>('Asks what making a cluster would find.', {
      spec: ref('ClusterSpec'),
      management: optional(
        text('Of a workload cluster: which management cluster; needed when several are Ready.', 'petra-mgmt'),
      ),
    }),
    PreflightAnswer: object<PreflightAnswer>('What the first state of init or create would find now.', {
      findings: list('Errors first.', ref('PreflightFinding')),
      plan: preflightPlan,
      checkedAt: time('When it began to look.'),
      durationMs: integer('How long it looked, in milliseconds.'),
    }),
    PreflightFinding: preflightFinding,
    OperationAnswer: operationAnswer,
    ClusterView: clusterView,
    ClusterList: listOf(ref('ClusterView')),
    Finding: finding,
    FindingView: findingView,
    FindingList: listOf(ref('FindingView')),
    ObservedState: observedState,
    Lock: lock,
    OperationSummary: operationSummary,
    OperationOptions: operationOptions,
    OperationView: operationView,
    OperationList: listOf(ref('OperationView')),
    StepRecord: stepRecord,
    PlannedStep: plannedStep,
    ResidueLine: residueLine,
    Failure: failure,
    ResourceRecord: resourceRecord,
    LedgerEvent: ledgerEvent,
    EventList: listOf(ref('LedgerEvent')),
    KubeconfigAnswer: object<KubeconfigAnswer>(
      "A cluster's kubeconfig. It is a secret: keep it out of logs.",
      {
        cluster: clusterName,
        kubeconfig: text('YAML, for kubectl.'),
      },
    ),
    UnlockAnswer: object<UnlockAnswer>('What came of removing a lock.', {
      cluster: ref('ClusterView'),
      abandoned: operationId,
    }),
    ObjectTree: objectTree,
    ObjectNode: objectNode,
    Health: object<Health>('That Petra answers, and what it is.', {
      status: { type: 'string', const: 'ok', description: 'It answers.' },
      version: text("Petra's version.", '0.1.0'),
      mode: choice<Health['mode']>('Where it runs.', {
        local: 'on one machine, with a simulated AWS',
        aws: '',
        'aws-us-gov': '',
      }),
      region: optional(text("The stack's region; absent for a local Petra.")),
    }),
    Problem: problem,
  };
}
