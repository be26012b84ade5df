// A real API server in the form that the Kubernetes contract tests.

import { request as httpsRequest } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import { HttpsConnection } from '../../adapters/https-connection.ts';
import { type Credentials, parseKubeconfig } from '../../adapters/kubeconfig.ts';
import { PetraError } from '../../core/errors.ts';
import { at } from '../../core/json-fields.ts';
import type { KubernetesUnderTest } from '../adapters/kubernetes-scene.ts';
import { ApiRequests } from './api-requests.ts';

export interface RealKubernetes {
  /** Of an administrator. */
  readonly kubeconfig: string;
  /** Where its etcd answers. */
  readonly etcdUrl: string;
  readonly kill: () => Promise<void>;
  readonly restart: () => Promise<void>;
  readonly close: () => Promise<void>;
}

const namespace = 'contract-users';

export function realKubernetesUnderTest(real: RealKubernetes): KubernetesUnderTest {
  const requests = ApiRequests.of(real.kubeconfig, 'contract');

  const held: (() => void)[] = [];

  /** A ServiceAccount without a binding: known, and with the right to discover kinds alone. */
  const userOf = async (name: string): Promise<string> => {
    const path = `/api/v1/namespaces/${namespace}`;
    await requests.apply(path, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
    const account = `${path}/serviceaccounts/${name}`;
    await requests.apply(account, { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name } });
    const review = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: {} };
    const answer = await requests.create(`${account}/token`, review);
    return withToken(real.kubeconfig, String(at(answer, 'status', 'token')));
  };

  return {
    kubeconfig: real.kubeconfig,
    kill: real.kill,
    restart: real.restart,
    close: async () => {
      for (const release of held) release();
      await real.close();
    },
    powerlessUser: () => userOf('powerless'),
    throttledUser: async () => {
      const name = 'throttled';
      const apiVersion = 'flowcontrol.apiserver.k8s.io/v1';
      const root = `/apis/${apiVersion}`;
      await requests.apply(`${root}/prioritylevelconfigurations/${name}`, {
        apiVersion,
        kind: 'PriorityLevelConfiguration',
        metadata: { name },
        // No seats of its own, none to borrow, no queue: one request is served, any other meanwhile is too many.
        spec: {
          type: 'Limited',
          limited: {
            nominalConcurrencyShares: 0,
            borrowingLimitPercent: 0,
            limitResponse: { type: 'Reject' },
          },
        },
      });
      const account = { name, namespace };
      await requests.apply(`${root}/flowschemas/${name}`, {
        apiVersion,
        kind: 'FlowSchema',
        metadata: { name },
        spec: {
          priorityLevelConfiguration: { name },
          // The first after `exempt`.
          matchingPrecedence: 2,
          rules: [
            {
              subjects: [{ kind: 'ServiceAccount', serviceAccount: account }],
              resourceRules: [
                { verbs: ['*'], apiGroups: ['*'], resources: ['*'], clusterScope: true, namespaces: ['*'] },
              ],
              nonResourceRules: [{ verbs: ['*'], nonResourceURLs: ['*'] }],
            },
          ],
        },
      });
      const kubeconfig = await userOf(name);
      held.push(await holdSeat(kubeconfig));
      return kubeconfig;
    },
    forgetOldStates: async () => {
      await compact(real.etcdUrl);
      // The server keeps states of its own, as far back as it runs.
      await real.kill();
      await real.restart();
    },
  };
}

/** Keeps the only seat of a user taken; returns how to give it up. */
async function holdSeat(kubeconfig: string): Promise<() => void> {
  const credentials = parseKubeconfig(kubeconfig);
  const probe = new HttpsConnection(credentials, { throttleRetries: 0 });
  for (let left = 50; left > 0; left -= 1) {
    const release = beginRequest(credentials);
    await sleep(200);
    // Until the limit is known to the server, both are served.
    const isTaken = await probe.send({ method: 'GET', path: '/api' }).then(
      () => false,
      (error: unknown) => error instanceof PetraError && error.code === 'KubernetesThrottled',
    );
    if (isTaken) return release;
    release();
  }
  throw new Error('the API server does not apply the limit on requests');
}

/** A request that every user may send, whose body never comes. */
function beginRequest({ server, authority, token }: Credentials): () => void {
  const outgoing = httpsRequest(new URL('/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', server), {
    method: 'POST',
    agent: false,
    ...(authority === undefined ? {} : { ca: authority }),
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      'content-length': '100',
    },
  });
  outgoing.on('error', () => undefined);
  outgoing.flushHeaders();
  return () => outgoing.destroy();
}

/** The kubeconfig with a token in place of the administrator's certificate. */
function withToken(kubeconfig: string, token: string): string {
  const { server, authority = '' } = parseKubeconfig(kubeconfig);
  return JSON.stringify({
    'current-context': 'contract',
    contexts: [{ name: 'contract', context: { cluster: 'contract', user: 'contract' } }],
    clusters: [
      {
        name: 'contract',
        cluster: {
          server: server.href,
          'certificate-authority-data': Buffer.from(authority).toString('base64'),
        },
      },
    ],
    users: [{ name: 'contract', user: { token } }],
  });
}

/** Makes etcd forget every state but the present one. Its JSON gateway: etcd.io/docs/v3.5/dev-guide/api_grpc_gateway */
async function compact(etcdUrl: string): Promise<void> {
  const call = async (path: string, body: object): Promise<unknown> => {
    const answer = await fetch(`${etcdUrl}/v3/${path}`, { method: 'POST', body: JSON.stringify(body) });
    if (!answer.ok) throw new Error(`etcd answered ${answer.status} to ${path}: ${await answer.text()}`);
    return answer.json();
  };
  const key = Buffer.from('contract').toString('base64');
  // A write of its own, so that there is a newer state than any that a list has begun with.
  const written = await call('kv/put', { key, value: key });
  await call('kv/compaction', { revision: String(at(written, 'header', 'revision')), physical: true });
}
