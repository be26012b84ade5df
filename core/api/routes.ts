// The HTTP API as a table: one entry per route, the same for Lambda and for a local Petra.

import type { Ports } from '../petra.ts';
import {
  getCluster,
  getClusters,
  getEvents,
  getFindings,
  getHealth,
  getKubeconfig,
  getObjects,
  getOperation,
  getOperations,
} from './reading.ts';
import type { ApiRequest, ApiResponse } from './request.ts';
import {
  deleteCluster,
  deleteLock,
  deleteManagementCluster,
  postCluster,
  postManagementCluster,
  postPreflight,
} from './writing.ts';

export interface Route {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** With `{name}` for parts of the path. */
  readonly path: string;
  /** File name of its handler on AWS, and operationId in the OpenAPI document. */
  readonly name: string;
  readonly answer: (ports: Ports, request: ApiRequest) => Promise<ApiResponse>;
}

export const routes: readonly Route[] = [
  {
    method: 'POST',
    path: '/management-clusters',
    name: 'post-management-clusters',
    answer: postManagementCluster,
  },
  {
    method: 'DELETE',
    path: '/management-clusters/{name}',
    name: 'delete-management-cluster',
    answer: deleteManagementCluster,
  },
  { method: 'POST', path: '/clusters', name: 'post-clusters', answer: postCluster },
  { method: 'GET', path: '/clusters', name: 'get-clusters', answer: getClusters },
  { method: 'GET', path: '/clusters/{name}', name: 'get-cluster', answer: getCluster },
  { method: 'DELETE', path: '/clusters/{name}', name: 'delete-cluster', answer: deleteCluster },
  { method: 'GET', path: '/clusters/{name}/kubeconfig', name: 'get-kubeconfig', answer: getKubeconfig },
  { method: 'GET', path: '/clusters/{name}/objects', name: 'get-objects', answer: getObjects },
  { method: 'GET', path: '/clusters/{name}/events', name: 'get-events', answer: getEvents },
  { method: 'DELETE', path: '/clusters/{name}/lock', name: 'delete-lock', answer: deleteLock },
  { method: 'GET', path: '/operations', name: 'get-operations', answer: getOperations },
  { method: 'GET', path: '/operations/{id}', name: 'get-operation', answer: getOperation },
  { method: 'GET', path: '/findings', name: 'get-findings', answer: getFindings },
  { method: 'POST', path: '/preflights', name: 'post-preflights', answer: postPreflight },
  { method: 'GET', path: '/health', name: 'get-health', answer: getHealth },
];
