// What there is to say of each route beside its method and path, which are in core/api/routes.ts.

import type { ErrorCode } from '../core/errors.ts';
import type { JsonSchema } from './openapi-shape.ts';

export interface RouteDoc {
  readonly summary: string;
  readonly description?: string;
  readonly query?: Readonly<Record<string, QueryParameter>>;
  /** Name of the schema of the body. */
  readonly body?: string;
  /** Name of the schema of its answer by status. */
  readonly answers: Readonly<Record<number, string>>;
  /** Beside those that every route can answer. */
  readonly errors: readonly ErrorCode[];
}

interface QueryParameter {
  readonly description: string;
  readonly schema: JsonSchema & { readonly default?: string | number; readonly maximum?: number };
}

/**
 * What any route can answer. The local server looks at the way in (InvalidRequest, Unauthorized, Forbidden); the rest
 * is what the store says.
 */
export const errorsOfEveryRoute: readonly ErrorCode[] = [
  'InvalidRequest',
  'Unauthorized',
  'Forbidden',
  'InternalError',
  'StorageUnavailable',
  'Throttled',
  'AwsAccessDenied',
];

/** A request that changes something answers the same whether it began an operation or had nothing to begin. */
const begun = { 200: 'OperationAnswer', 202: 'OperationAnswer' };

const page = {
  limit: {
    description: 'How many items a page has at most.',
    schema: { type: 'integer', minimum: 1, maximum: 100, default: 100 },
  },
  cursor: {
    description: 'Asks for the page after the one that had this as `next`.',
    schema: { type: 'string' },
  },
} as const;

const repeat =
  'Safe to repeat: the same request leads to the same operation while that runs, and to its next attempt after a failure.';

/** By the name of the route. */
export const routeDocs: Readonly<Record<string, RouteDoc>> = {
  'post-management-clusters': {
    summary: 'Make a management cluster.',
    description: `Begins \`init\`, or attaches to it. ${repeat}`,
    body: 'InitRequest',
    answers: begun,
    errors: ['InvalidSpec', 'NameTaken', 'OperationInProgress', 'DeletionUnfinished', 'SpecDiffers'],
  },
  'delete-management-cluster': {
    summary: 'Remove a management cluster.',
    description: `Begins \`destroy\`, or attaches to it. One that is already gone is success. ${repeat}`,
    query: {
      cascade: {
        description:
          'Whether its workload clusters are deleted first; else it is refused while there are any.',
        schema: { type: 'string', enum: ['true', 'false'], default: 'false' },
      },
    },
    answers: begun,
    errors: ['ClusterNotFound', 'DeletionProtected', 'OperationInProgress', 'WorkloadClustersExist'],
  },
  'post-clusters': {
    summary: 'Make a workload cluster.',
    description: `Begins \`create\`, or attaches to it. ${repeat}`,
    body: 'CreateRequest',
    answers: begun,
    errors: [
      'InvalidSpec',
      'ClusterNotFound',
      'NoManagementCluster',
      'AmbiguousManagementCluster',
      'ManagementClusterNotReady',
      'NameTaken',
      'OperationInProgress',
      'DeletionUnfinished',
      'SpecDiffers',
    ],
  },
  'get-clusters': {
    summary: 'List clusters, by name.',
    query: {
      kind: {
        description: 'Only clusters of this kind.',
        schema: { type: 'string', enum: ['management', 'workload'] },
      },
      management: {
        description: 'Only workload clusters of this management cluster.',
        schema: { type: 'string' },
      },
      ...page,
    },
    answers: { 200: 'ClusterList' },
    errors: [],
  },
  'get-cluster': {
    summary: 'Show a cluster of either kind, with its spec and what was made for it.',
    answers: { 200: 'ClusterView' },
    errors: ['ClusterNotFound'],
  },
  'delete-cluster': {
    summary: 'Remove a workload cluster.',
    description: `Begins \`delete\`, or attaches to it. One that is already gone is success. ${repeat}`,
    answers: begun,
    errors: ['ClusterNotFound', 'DeletionProtected', 'OperationInProgress'],
  },
  'get-kubeconfig': {
    summary: "Show a cluster's kubeconfig.",
    description:
      'Read from Cluster API, which renews it; from the copy in the secret store while the management cluster is away.',
    answers: { 200: 'KubeconfigAnswer' },
    errors: [
      'ClusterNotFound',
      'KubeconfigNotReady',
      'KubernetesUnauthorized',
      'ObjectRefused',
      'AwsUnavailable',
    ],
  },
  'get-objects': {
    summary: "Show a cluster's objects as a tree, and what stops it.",
    answers: { 200: 'ObjectTree' },
    errors: [
      'ClusterNotFound',
      'KubernetesUnreachable',
      'KubernetesUnauthorized',
      'KubernetesThrottled',
      'ObjectRefused',
      'AwsUnavailable',
    ],
  },
  'get-events': {
    summary: "List a cluster's history, oldest first.",
    description: 'The history outlives the cluster, and goes on when its name is used again.',
    query: {
      after: {
        description: "Only what comes after this event: its `<at>#<seq>`, or a page's `next`.",
        schema: { type: 'string' },
      },
      limit: page.limit,
    },
    answers: { 200: 'EventList' },
    errors: ['ClusterNotFound'],
  },
  'delete-lock': {
    summary: "Take away a cluster's lock.",
    description:
      'For a holder that is certainly gone. The operation that held it is abandoned, and can write nothing any more.',
    answers: { 200: 'UnlockAnswer' },
    errors: ['ClusterNotFound', 'NotLocked'],
  },
  'get-operations': {
    summary: 'List operations, newest first.',
    query: {
      cluster: { description: 'Only those of clusters of this name.', schema: { type: 'string' } },
      ...page,
    },
    answers: { 200: 'OperationList' },
    errors: [],
  },
  'get-operation': {
    summary: 'Show an operation with its steps.',
    answers: { 200: 'OperationView' },
    errors: ['OperationNotFound'],
  },
  'get-findings': {
    summary: 'List what is not as it should be.',
    description:
      'What the scheduled reconciliation found amiss, and locks that nobody renews. Of one cluster, or of the whole fleet; then a page holds the findings of a page of clusters, and may be empty though others follow.',
    query: {
      cluster: { description: 'Only those of this cluster.', schema: { type: 'string' } },
      ...page,
    },
    answers: { 200: 'FindingList' },
    errors: ['ClusterNotFound'],
  },
  'post-preflights': {
    summary: 'Look at what making a cluster would find.',
    description:
      'Asks what the first state of `init` or `create` asks: releases, instance types, quotas, permissions. Changes nothing. Findings are no errors of the request: the answer is 200 with all of them.',
    body: 'PreflightRequest',
    answers: { 200: 'PreflightAnswer' },
    errors: ['InvalidSpec'],
  },
  'get-health': {
    summary: 'Say that Petra answers, and what it is.',
    answers: { 200: 'Health' },
    errors: [],
  },
};
