import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { request as httpsRequest } from 'node:https';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { HttpKubernetesAccess } from '../../adapters/http-kubernetes.ts';
import { parseKubeconfig } from '../../adapters/kubeconfig.ts';
import { Disk } from '../../local/disk.ts';
import { SimulatedKubernetes } from '../../local/kubernetes/api-server.ts';

interface Answer {
  readonly code: number;
  readonly body: Record<string, unknown>;
}

let folder: string;
let disk: Disk;
let server: SimulatedKubernetes;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'petra-api-'));
  disk = Disk.inMemory();
  server = new SimulatedKubernetes({ disk, folder });
  await server.start();
  await server.ensureCluster('one', { name: 'first' });
});

afterEach(async () => {
  await server.stop();
  await rm(folder, { recursive: true });
});

/** A request with a cluster's kubeconfig; every line of the answer goes to `onLine` as it comes. */
async function ask(
  path: string,
  options: {
    readonly as?: string;
    readonly method?: string;
    readonly body?: unknown;
    readonly headers?: Record<string, string>;
    readonly onLine?: (line: Record<string, unknown>) => void;
    readonly anonymous?: boolean;
  } = {},
): Promise<Answer> {
  const {
    server: url,
    authority,
    certificate,
    key,
  } = parseKubeconfig(await server.kubeconfig(options.as ?? 'one'));
  return new Promise((resolve, reject) => {
    const outgoing = httpsRequest(
      {
        host: url.hostname,
        port: url.port,
        path: path.startsWith('/clusters/') ? path : url.pathname + path,
        method: options.method ?? 'GET',
        ca: authority,
        servername: 'localhost',
        agent: false,
        ...(options.anonymous ? {} : { cert: certificate, key }),
        headers: { 'content-type': 'application/json', ...options.headers },
      },
      (incoming) => {
        let text = '';
        let pending = '';
        incoming.on('data', (chunk: Buffer) => {
          text += chunk;
          pending += chunk;
          const lines = pending.split('\n');
          pending = lines.pop() ?? '';
          for (const line of lines) options.onLine?.(JSON.parse(line));
        });
        incoming.on('error', reject);
        incoming.on('end', () =>
          resolve({
            code: incoming.statusCode ?? 0,
            body: options.onLine || text === 'ok' ? { text } : JSON.parse(text),
          }),
        );
      },
    );
    outgoing.on('error', reject);
    outgoing.end(options.body === undefined ? undefined : JSON.stringify(options.body));
  });
}

function configMap(name: string, labels: Record<string, string> = {}) {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'default', labels }, data: {} };
}

const maps = '/api/v1/namespaces/default/configmaps';
const table = { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json' };

describe('who is let in', () => {
  test('a cluster is only served to the holder of its own certificate', async () => {
    await server.ensureCluster('two', { name: 'second' });
    expect((await ask('/api/v1/namespaces')).code).toBe(200);
    expect(await ask('/clusters/two/api/v1/namespaces')).toMatchObject({
      code: 401,
      body: { kind: 'Status', reason: 'Unauthorized' },
    });
    expect((await ask('/api/v1/namespaces', { anonymous: true })).code).toBe(401);
  });

  test('a request for another host is refused', async () => {
    expect((await ask('/version', { headers: { host: 'evil.example' } })).code).toBe(403);
  });

  test('keys are readable by their owner only', async () => {
    for (const name of await readdir(folder)) expect((await stat(join(folder, name))).mode & 0o077).toBe(0);
  });
});

describe('clusters', () => {
  test('a new cluster has its namespaces, accounts and the kubernetes service', async () => {
    const store = server.store('one');
    expect(store.list('v1', 'Namespace').map(({ metadata }) => metadata.name)).toEqual([
      'default',
      'kube-node-lease',
      'kube-public',
      'kube-system',
    ]);
    expect(store.list('v1', 'ServiceAccount')).toHaveLength(4);
    expect(store.get('v1', 'Service', 'default', 'kubernetes')).toBeDefined();
  });

  test('the version is that of the cluster', async () => {
    await server.ensureCluster('old', { name: 'old', version: 'v1.34.5+k3s2' });
    expect((await ask('/version', { as: 'old' })).body).toMatchObject({
      major: '1',
      minor: '34',
      gitVersion: 'v1.34.5+k3s2',
    });
  });

  test('a kubeconfig goes on working after a restart', async () => {
    const kubeconfig = await server.kubeconfig('one');
    await server.stop();
    server = new SimulatedKubernetes({ disk, folder });
    await server.start();
    expect(await server.kubeconfig('one')).toBe(kubeconfig);
    const kubernetes = new HttpKubernetesAccess().connect(kubeconfig);
    expect(await kubernetes.list({ apiVersion: 'v1', kind: 'Namespace' })).toHaveLength(4);
  });

  test('a port that someone else took meanwhile is named in the error', async () => {
    const { port } = parseKubeconfig(await server.kubeconfig('one')).server;
    await server.stop();
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(Number(port), '127.0.0.1', resolve));
    const next = new SimulatedKubernetes({ disk, folder });
    await expect(next.start()).rejects.toMatchObject({
      code: 'LocalStartFailed',
      message: `port ${port} of the simulated Kubernetes API is taken by another process`,
    });
    await new Promise((resolve) => other.close(resolve));
  });

  test('a cluster that is unavailable or removed answers 503, never that something is absent', async () => {
    server.setAvailable('one', false);
    expect((await ask('/api/v1/nodes')).code).toBe(503);
    server.setAvailable('one', true);
    expect((await ask('/api/v1/nodes')).code).toBe(200);
    const kubeconfig = await server.kubeconfig('one');
    await server.removeCluster('one');
    const kubernetes = new HttpKubernetesAccess().connect(kubeconfig);
    await expect(kubernetes.list({ apiVersion: 'v1', kind: 'Node' })).rejects.toMatchObject({
      code: 'KubernetesUnreachable',
    });
  });

  test('a removed cluster leaves nothing behind', async () => {
    await server.removeCluster('one');
    expect(server.clusters()).toEqual([]);
    const store = await server.ensureCluster('one', { name: 'again' });
    expect([...store.all()]).toHaveLength(9);
  });
});

describe('lists', () => {
  test('pages lead through what there was when the first was read', async () => {
    for (const name of ['a', 'b', 'c']) await ask(maps, { method: 'POST', body: configMap(name) });
    const first = await ask(`${maps}?limit=2`);
    expect(first.body).toMatchObject({ metadata: { remainingItemCount: 1 } });
    await ask(`${maps}/c`, { method: 'DELETE' });
    const { continue: token } = first.body.metadata as { continue: string };
    const second = await ask(`${maps}?limit=2&continue=${token}`);
    expect(second.body).toMatchObject({ items: [{ metadata: { name: 'c' } }] });
    expect(second.body.metadata).not.toHaveProperty('continue');
    expect(await ask(`${maps}?limit=2&continue=${token}`)).toMatchObject({
      code: 410,
      body: { reason: 'Expired' },
    });
  });

  test('a Table has the columns that kubectl prints', async () => {
    await server.store('one').create({
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { name: 'n1', labels: { 'node-role.kubernetes.io/control-plane': 'true' } },
      status: {
        conditions: [{ type: 'Ready', status: 'True' }],
        nodeInfo: { kubeletVersion: 'v1.35.3+k3s1' },
      },
    });
    const { body } = await ask('/api/v1/nodes', { headers: table });
    expect(body).toMatchObject({
      kind: 'Table',
      rows: [
        {
          cells: ['n1', 'Ready', 'control-plane', '0s', 'v1.35.3+k3s1', ...Array(5).fill(expect.any(String))],
        },
      ],
    });
  });

  test('a Table of custom resources has the columns of their definition', async () => {
    const store = server.store('one');
    await store.create({
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: 'widgets.example.org' },
      spec: {
        group: 'example.org',
        scope: 'Cluster',
        names: { plural: 'widgets', kind: 'Widget' },
        versions: [
          {
            name: 'v1',
            served: true,
            storage: true,
            schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
            additionalPrinterColumns: [
              { name: 'Ready', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].status' },
              { name: 'Cluster', type: 'string', jsonPath: ".metadata.labels['example\\.org/cluster']" },
              { name: 'Size', type: 'integer', jsonPath: '.spec.size' },
            ],
          },
        ],
      },
    });
    await store.create({
      apiVersion: 'example.org/v1',
      kind: 'Widget',
      metadata: { name: 'w', labels: { 'example.org/cluster': 'c1' } },
      spec: { size: 3 },
      status: {
        conditions: [
          { type: 'Other', status: 'False' },
          { type: 'Ready', status: 'True' },
        ],
      },
    });
    const { body } = await ask('/apis/example.org/v1/widgets', { headers: table });
    expect(body).toMatchObject({ rows: [{ cells: ['w', 'True', 'c1', 3] }] });
  });

  test('a thousand objects are listed in tens of milliseconds', async () => {
    const store = server.store('one');
    await Promise.all(Array.from({ length: 1000 }, (_, index) => store.create(configMap(`map-${index}`))));
    await ask(maps);
    const before = performance.now();
    const { body } = await ask(maps);
    expect(body.items).toHaveLength(1000);
    // Tens of milliseconds alone; the limit leaves room for a busy machine.
    expect(performance.now() - before).toBeLessThan(500);
  });
});

describe('watches', () => {
  test('a watch tells what happened since a version, then what happens', async () => {
    const store = server.store('one');
    const { resourceVersion } = store;
    await store.create(configMap('before'));
    const seen: string[] = [];
    const watching = ask(`${maps}?watch=true&resourceVersion=${resourceVersion}&timeoutSeconds=1`, {
      onLine: (line) => {
        const { metadata } = line.object as { metadata: { name: string } };
        seen.push(`${line.type} ${metadata.name}`);
        if (metadata.name === 'before' && line.type === 'ADDED') {
          void store.create(configMap('after')).then(() => ask(`${maps}/before`, { method: 'DELETE' }));
        }
      },
    });
    expect((await watching).code).toBe(200);
    expect(seen).toEqual(['ADDED before', 'ADDED after', 'DELETED before']);
  });

  test('an object that leaves or enters a selection is told as deleted or added', async () => {
    const store = server.store('one');
    await store.create(configMap('a', { tier: 'x' }));
    const seen: unknown[] = [];
    const watching = ask(`${maps}?watch=1&labelSelector=tier%3Dx&timeoutSeconds=1`, {
      onLine: ({ type }) => {
        seen.push(type);
        const tier = { 1: 'y', 2: 'x', 3: 'x' }[seen.length];
        const reference = { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'default', name: 'a' };
        void store.mutate(reference, (object) => ({
          ...object,
          metadata: { ...object.metadata, labels: { tier: tier ?? 'x', count: String(seen.length) } },
        }));
      },
    });
    await watching;
    expect(seen.slice(0, 4)).toEqual(['ADDED', 'DELETED', 'ADDED', 'MODIFIED']);
  });

  test('a watch from a version that is forgotten ends with Expired', async () => {
    const seen: unknown[] = [];
    await server.stop();
    server = new SimulatedKubernetes({ disk, folder });
    await server.start();
    await ask(`${maps}?watch=1&resourceVersion=1&timeoutSeconds=5`, { onLine: (line) => seen.push(line) });
    expect(seen).toMatchObject([{ type: 'ERROR', object: { code: 410, reason: 'Expired' } }]);
  });

  test('initial events are followed by a bookmark that says so', async () => {
    const seen: unknown[] = [];
    const query = 'watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true';
    await ask(`/api/v1/namespaces?${query}&timeoutSeconds=1`, { onLine: (line) => seen.push(line) });
    expect(seen[4]).toMatchObject({
      type: 'BOOKMARK',
      object: { metadata: { annotations: { 'k8s.io/initial-events-end': 'true' } } },
    });
  });
});

describe('writes over HTTP', () => {
  test('a body in YAML is applied', async () => {
    const text = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: y}\ndata: {a: "1"}\n';
    const { server: url, authority, certificate, key } = parseKubeconfig(await server.kubeconfig('one'));
    const code = await new Promise((resolve, reject) => {
      const outgoing = httpsRequest(
        {
          host: url.hostname,
          port: url.port,
          path: `${url.pathname}${maps}/y?fieldManager=test`,
          method: 'PATCH',
          ca: authority,
          cert: certificate,
          key,
          agent: false,
          headers: { 'content-type': 'application/apply-patch+yaml' },
        },
        (incoming) => resolve(incoming.resume().statusCode),
      );
      outgoing.on('error', reject);
      outgoing.end(text);
    });
    expect(code).toBe(201);
    expect(server.store('one').get('v1', 'ConfigMap', 'default', 'y')?.data).toEqual({ a: '1' });
  });

  test('an apply without force lists every field that someone else owns', async () => {
    await ask(`${maps}?fieldManager=first`, {
      method: 'POST',
      body: { ...configMap('c'), data: { a: '1', b: '1' } },
    });
    const answer = await ask(`${maps}/c?fieldManager=second`, {
      method: 'PATCH',
      body: { ...configMap('c'), data: { a: '2', b: '2' } },
      headers: { 'content-type': 'application/apply-patch+yaml' },
    });
    expect(answer).toMatchObject({
      code: 409,
      body: {
        message: 'Apply failed with 2 conflicts: conflicts with "first" using v1:\n- .data.a\n- .data.b',
        details: { causes: [{ reason: 'FieldManagerConflict', field: '.data.a' }, { field: '.data.b' }] },
      },
    });
  });

  test('a body that is too large is refused', async () => {
    const body = { ...configMap('big'), data: { a: 'x'.repeat(4 * 1024 * 1024) } };
    expect((await ask(maps, { method: 'POST', body }).catch(() => ({ code: 413 }))).code).toBe(413);
  });
});
