import { mkdtemp, rm } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { HttpKubernetesAccess } from '../../adapters/http-kubernetes.ts';
import { PetraError } from '../../core/errors.ts';
import type { Kubernetes } from '../../core/ports.ts';
import { Certificates, type Identity } from '../../local/kubernetes/certificates.ts';

type Handler = (request: IncomingMessage, response: ServerResponse, attempt: number) => void;

let folder: string;
let identity: Identity;
let client: Identity;
let open: Server | undefined;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'petra-http-'));
  const certificates = new Certificates(folder);
  identity = await certificates.server();
  client = await certificates.client('stub');
});

afterEach(() => {
  open?.closeAllConnections();
  open?.close();
  open = undefined;
});

afterAll(() => rm(folder, { recursive: true }));

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}

function kubeconfigFor(port: number, user: object, authority = identity.authority): string {
  return JSON.stringify({
    'current-context': 'c',
    contexts: [{ name: 'c', context: { cluster: 'k', user: 'u' } }],
    clusters: [
      {
        name: 'k',
        cluster: {
          server: `https://127.0.0.1:${port}/base/`,
          'certificate-authority-data': base64(authority),
        },
      },
    ],
    users: [{ name: 'u', user }],
  });
}

async function listening(handler: Handler): Promise<number> {
  let attempt = 0;
  const server = createServer({ cert: identity.certificate, key: identity.key }, (request, response) => {
    if (request.url === '/base/api/v1' || request.url === '/base/apis/apps/v1') {
      const resources = ['ConfigMap', 'Secret', 'Deployment'].map((kind) => ({
        name: `${kind.toLowerCase()}s`,
        kind,
        namespaced: true,
      }));
      response.end(JSON.stringify({ resources }));
      return;
    }
    attempt += 1;
    request.resume();
    handler(request, response, attempt);
  });
  open = server;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return typeof address === 'object' && address ? address.port : 0;
}

/** A client of a server that answers as told, after discovery. */
async function served(handler: Handler, options = {}): Promise<Kubernetes> {
  return new HttpKubernetesAccess(options).connect(
    kubeconfigFor(await listening(handler), { token: 't0ken' }),
  );
}

function answering(code: number, status: object, headers: Record<string, string> = {}): Handler {
  return (_request, response) => {
    response.writeHead(code, headers).end(JSON.stringify({ kind: 'Status', code, ...status }));
  };
}

async function failureOf(promise: Promise<unknown>): Promise<PetraError> {
  const failure = await promise.then(
    () => 'nothing',
    (error: unknown) => error,
  );
  if (!(failure instanceof PetraError)) throw new Error(`expected a PetraError, got ${failure}`);
  return failure;
}

const reference = { apiVersion: 'v1', kind: 'ConfigMap', name: 'a', namespace: 'n' };
const configMap = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a', namespace: 'n' } };

describe('what an answer means', () => {
  const forbiddenUser = 'configmaps "a" is forbidden: User "petra" cannot patch resource "configmaps"';
  const denied = 'admission webhook "validate.example.org" denied the request: spec.x is wrong';
  const uncallable =
    'Internal error occurred: failed calling webhook "default.example.org": failed to call webhook: Post "https://x": EOF';
  test.each([
    [401, 'Unauthorized', 'KubernetesUnauthorized'],
    [403, forbiddenUser, 'KubernetesUnauthorized'],
    [403, denied, 'ObjectRefused'],
    [400, denied, 'ObjectRefused'],
    [403, 'pods "a" is forbidden: exceeded quota: q', 'ObjectRefused'],
    [404, 'namespaces "n" not found', 'ObjectRefused'],
    [409, 'Operation cannot be fulfilled on configmaps "a"', 'ObjectConflict'],
    [413, 'Request entity too large', 'ObjectRefused'],
    [422, 'ConfigMap "a" is invalid', 'ObjectRefused'],
    [500, uncallable, 'WebhookUnavailable'],
    [500, 'conversion webhook for x/v1, Kind=X failed: Post "https://x": EOF', 'WebhookUnavailable'],
    [500, 'failed to create typed patch object (n/a): .spec: field not declared in schema', 'ObjectRefused'],
    [500, 'failed to convert new object (n/a; /v1, Kind=ConfigMap) to proper version: x', 'ObjectRefused'],
    [
      403,
      'a "b" is forbidden: create not allowed while custom resource definition is terminating',
      'ObjectConflict',
    ],
    [500, 'etcdserver: leader changed', 'KubernetesUnreachable'],
    [503, 'the server is currently unable to handle the request', 'KubernetesUnreachable'],
    [504, 'timeout', 'KubernetesUnreachable'],
  ])('an apply answered by %i %s is %s', async (code, message, expected) => {
    const details = code === 404 ? { details: { name: 'n' } } : {};
    const kubernetes = await served(answering(code, { message, ...details }));
    const failure = await failureOf(kubernetes.apply(configMap));
    expect(failure.code).toBe(expected);
    expect(failure.message).toBe(`cannot apply ConfigMap n/a: ${message}`);
  });

  test('a refusal names its webhook and lists each problem with its path', async () => {
    const causes = [
      { reason: 'FieldValueInvalid', field: 'spec.replicas', message: 'Invalid value: -1: must be positive' },
      { field: 'spec.version', message: 'Required value' },
    ];
    const message = 'admission webhook "w.example.org" denied the request: invalid';
    const kubernetes = await served(answering(403, { message, details: { causes } }));
    const failure = await failureOf(kubernetes.apply(configMap));
    expect(failure.evidence).toEqual([
      'spec.replicas: Invalid value: -1: must be positive',
      'spec.version: Required value',
    ]);
    expect(failure.details).toMatchObject({ webhook: 'w.example.org', status: 403 });
  });

  test('each field that does not fit the schema is evidence, whether one or several are told', async () => {
    const begin = 'failed to create typed patch object (n/a; example.org/v1, Kind=Widget):';
    const evidenceOf = async (problems: string) => {
      const kubernetes = await served(answering(500, { message: `${begin} ${problems}` }));
      const { evidence } = await failureOf(kubernetes.apply(configMap));
      open?.close();
      return evidence;
    };
    const unknown = '.spec.a.b: field not declared in schema';
    expect(await evidenceOf(unknown)).toEqual([unknown.slice(1)]);
    const other = '.spec.parts[name="a: b"].c: expected list, got &{x}';
    expect(await evidenceOf(`errors:\n  ${unknown}\n  ${other}`)).toEqual([unknown.slice(1), other.slice(1)]);
    expect(await evidenceOf('in no known form')).toEqual([]);
  });

  test('a namespace on its way out is a conflict, which may be retried', async () => {
    const causes = [{ reason: 'NamespaceTerminating', message: 'n', field: 'metadata.namespace' }];
    const message = 'configmaps "a" is forbidden: unable to create new content in namespace n';
    const kubernetes = await served(answering(403, { message, details: { causes } }));
    expect(await failureOf(kubernetes.apply(configMap))).toMatchObject({
      code: 'ObjectConflict',
      retryable: true,
    });
  });

  test('a read that is forbidden is about permissions, one that finds nothing is not a failure', async () => {
    let kubernetes = await served(answering(403, { message: 'configmaps "a" is forbidden: nope' }));
    expect((await failureOf(kubernetes.read(reference))).code).toBe('KubernetesUnauthorized');
    open?.close();
    kubernetes = await served(
      answering(404, { message: 'configmaps "a" not found', details: { name: 'a' } }),
    );
    expect(await kubernetes.read(reference)).toBeUndefined();
    expect(await kubernetes.remove(reference)).toBeUndefined();
  });

  test('what the server says about a Secret is withheld', async () => {
    const kubernetes = await served(
      answering(400, { reason: 'BadRequest', message: 'cannot decode "hunter2"', details: {} }),
    );
    const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 's', namespace: 'n' } };
    expect((await failureOf(kubernetes.apply(secret))).message).toBe('cannot apply Secret n/s: BadRequest');
  });

  test('an answer that is not JSON is still a named failure', async () => {
    const kubernetes = await served((_request, response) => response.writeHead(502).end('<html>bad gateway'));
    expect(await failureOf(kubernetes.read(reference))).toMatchObject({
      code: 'KubernetesUnreachable',
      message: 'cannot read ConfigMap n/a: HTTP status 502',
    });
  });
});

describe('patience', () => {
  test('a throttled request is repeated after the time that the server asks for', async () => {
    const kubernetes = await served((_request, response, attempt) => {
      if (attempt < 3) response.writeHead(429, { 'retry-after': '0' }).end('{}');
      else response.end(JSON.stringify(configMap));
    });
    expect(await kubernetes.read(reference)).toMatchObject({ metadata: { name: 'a' } });
  });

  test('a server that throttles for ever is given up', async () => {
    const kubernetes = await served(answering(429, {}, { 'retry-after': '0' }), { throttleRetries: 2 });
    expect((await failureOf(kubernetes.read(reference))).code).toBe('KubernetesThrottled');
  });

  test('a connection that was closed while idle is not taken for a failure', async () => {
    const kubernetes = await served((request, response, attempt) => {
      if (attempt === 2) request.socket.destroy();
      else response.end(JSON.stringify(configMap));
    });
    await kubernetes.read(reference);
    expect(await kubernetes.read(reference)).toMatchObject({ metadata: { name: 'a' } });
  });

  test('a server that does not answer in time is unreachable', async () => {
    const kubernetes = await served(() => undefined, { timeoutMilliseconds: 300 });
    expect(await failureOf(kubernetes.read(reference))).toMatchObject({
      code: 'KubernetesUnreachable',
      retryable: true,
    });
  });

  test('the time that a request waits for others does not count as the time of its answer', async () => {
    const kubernetes = await served(
      (_request, response) => setTimeout(() => response.end(JSON.stringify(configMap)), 150),
      { timeoutMilliseconds: 1_000 },
    );
    // Ten times the connections that are opened: 1.5 s for all, 0.15 s for each.
    const reads = Array.from({ length: 160 }, () => kubernetes.read(reference));
    expect(await Promise.all(reads)).toHaveLength(160);
  });

  test('a server that is not there is unreachable', async () => {
    const port = await listening(() => undefined);
    await new Promise((resolve) => open?.close(resolve));
    const kubernetes = new HttpKubernetesAccess().connect(kubeconfigFor(port, { token: 't' }));
    expect(await failureOf(kubernetes.read(reference))).toMatchObject({
      code: 'KubernetesUnreachable',
      message: `the Kubernetes API at 127.0.0.1:${port} cannot be reached: ECONNREFUSED`,
    });
  });

  test('a listing that expires between two pages is begun again, once', async () => {
    const pages = [
      { items: [{ metadata: { name: 'old' } }], metadata: { continue: 'x' } },
      410,
      { items: [{ metadata: { name: 'a' } }], metadata: { continue: 'y' } },
      { items: [{ metadata: { name: 'b' } }], metadata: {} },
    ];
    const kubernetes = await served((_request, response, attempt) => {
      const page = pages[attempt - 1];
      if (page === 410) response.writeHead(410).end('{}');
      else response.end(JSON.stringify(page));
    });
    const listed = await kubernetes.list({ apiVersion: 'v1', kind: 'ConfigMap' });
    expect(listed.map(({ metadata }) => metadata.name)).toEqual(['a', 'b']);
  });
});

describe('credentials', () => {
  test('a token is sent, and a server that another authority signed is not trusted', async () => {
    let header: string | undefined;
    const port = await listening((request, response) => {
      header = request.headers.authorization;
      response.end(JSON.stringify(configMap));
    });
    await new HttpKubernetesAccess().connect(kubeconfigFor(port, { token: 't0ken' })).read(reference);
    expect(header).toBe('Bearer t0ken');
    const other = await new Certificates(join(folder, 'other')).server();
    const distrusting = kubeconfigFor(port, { token: 't0ken' }, other.authority);
    const failure = await failureOf(new HttpKubernetesAccess().connect(distrusting).read(reference));
    expect(failure.code).toBe('KubernetesUnauthorized');
    expect(JSON.stringify([failure.message, failure.details, String(failure.cause)])).not.toContain('t0ken');
  });

  test('certificates that cannot be read are said to be the reason, and not shown', () => {
    const unreadable = base64('-----BEGIN CERTIFICATE-----\nc2VjcmV0\n-----END CERTIFICATE-----\n');
    const user = { 'client-certificate-data': unreadable, 'client-key-data': base64(client.key) };
    expect(() => new HttpKubernetesAccess().connect(kubeconfigFor(1, user))).toThrow(
      expect.objectContaining({
        code: 'KubernetesUnauthorized',
        message: 'the kubeconfig cannot be used: one of its certificates or its key cannot be read',
      }),
    );
  });

  test("where Kubernetes' own kinds are served is not asked, where others are is asked once", async () => {
    const asked: (string | undefined)[] = [];
    const kubernetes = await served((request, response) => {
      asked.push(request.url);
      const resources = [{ name: 'widgets', kind: 'Widget', namespaced: true }];
      response.end(JSON.stringify({ resources, metadata: { name: 'a' } }));
    });
    await kubernetes.read({ apiVersion: 'v1', kind: 'Namespace', name: 'a' });
    for (const name of ['a', 'b']) {
      await kubernetes.read({ apiVersion: 'petra.sh/v1', kind: 'Widget', name, namespace: 'n' });
    }
    expect(asked).toEqual([
      '/base/api/v1/namespaces/a',
      '/base/apis/petra.sh/v1',
      '/base/apis/petra.sh/v1/namespaces/n/widgets/a',
      '/base/apis/petra.sh/v1/namespaces/n/widgets/b',
    ]);
  });

  test('a kind that Petra installs is not looked for, whether it is served yet or not', async () => {
    const asked: (string | undefined)[] = [];
    const kubernetes = await served((request, response) => {
      asked.push(request.url);
      response.writeHead(404).end('404 page not found');
    });
    const issuer = { apiVersion: 'cert-manager.io/v1', kind: 'Issuer' };
    expect(await kubernetes.list(issuer)).toEqual([]);
    expect(asked).toEqual(['/base/apis/cert-manager.io/v1/issuers?limit=500']);
    const failure = await failureOf(kubernetes.apply({ ...issuer, metadata: { name: 'a', namespace: 'n' } }));
    expect(failure).toMatchObject({
      code: 'ObjectRefused',
      message: 'cannot apply Issuer n/a: the cluster does not serve this kind',
    });
    expect(asked).toHaveLength(2);
  });

  test('objects are sent as they are, and as field manager petra', async () => {
    let sent: unknown;
    let url = '';
    const kubernetes = new HttpKubernetesAccess().connect(
      kubeconfigFor(
        await listening((request, response) => {
          url = request.url ?? '';
          let text = '';
          request.on('data', (chunk) => {
            text += chunk;
          });
          request.on('end', () => {
            sent = JSON.parse(text);
            response.end(text);
          });
        }),
        {
          'client-certificate-data': base64(client.certificate),
          'client-key-data': base64(client.key),
        },
      ),
    );
    const object = {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'd', namespace: 'n' },
      spec: { unheardOf: [{ 'x-kubernetes-y': null }] },
    };
    const asked =
      '/base/apis/apps/v1/namespaces/n/deployments/d?fieldManager=petra&force=true&fieldValidation=';
    await kubernetes.apply(object);
    expect(sent).toEqual(object);
    expect(url).toBe(`${asked}Ignore`);
    await kubernetes.apply(object, { dryRun: true });
    expect(sent).toEqual(object);
    expect(url).toBe(`${asked}Strict&dryRun=All`);
  });
});
