// The contract that the simulated Kubernetes API keeps, on a real one; run by contract.ts.

import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { HttpKubernetesAccess } from '../../adapters/http-kubernetes.ts';
import type { Kubernetes } from '../../core/ports.ts';
import { kubernetesContract } from '../adapters/kubernetes.contract.ts';
import { ApiRequests } from './api-requests.ts';
import { type RealApiServer, startApiServer } from './api-server.ts';
import { formatBuiltInSchemas, readBuiltInSchemas } from './built-in-schemas.ts';
import { contractWorldOf } from './contract.ts';
import { Processes } from './processes.ts';
import { realKubernetesUnderTest } from './real-kubernetes.ts';
import { addAddress } from './sandbox.ts';

const { binaries, folder } = contractWorldOf(process.env);
const address = '10.250.255.1';
const processes = new Processes({ logs: path.join(folder, 'logs') });
let api: RealApiServer | undefined;

async function started(): Promise<RealApiServer> {
  if (api) return api;
  await addAddress(address);
  api = await startApiServer({
    processes,
    binaries,
    folder: path.join(folder, 'api'),
    address,
    port: 6443,
    name: 'contract',
  });
  return api;
}

beforeAll(started);
afterAll(() => processes.stopAll());

kubernetesContract(async () => {
  const real = await started();
  return realKubernetesUnderTest({
    kubeconfig: real.kubeconfig,
    etcdUrl: real.etcdUrl,
    kill: () => real.kill(),
    restart: () => real.start(),
    // Others in this file still use it.
    close: async () => undefined,
  });
});

test('the simulated API knows the fields of built-in kinds as the real one does', async () => {
  const requests = ApiRequests.of((await started()).kubeconfig, 'contract');
  const file = path.join(import.meta.dirname, '../../local/kubernetes/built-in-schemas.json');
  const real = formatBuiltInSchemas(await readBuiltInSchemas((where) => requests.read(where)));
  if (process.env.UPDATE_GOLDEN === '1') await writeFile(file, real);
  expect(await readFile(file, 'utf8')).toBe(real);
});

describe('kubectl, a second client', () => {
  const namespace = 'kubectl';
  const deployment = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'controller', namespace, labels: { app: 'x' } },
    spec: {
      selector: { matchLabels: { app: 'x' } },
      template: {
        metadata: { labels: { app: 'x' } },
        spec: {
          containers: [
            {
              name: 'manager',
              image: 'example.org/manager:v1',
              args: ['--v=2'],
              ports: [{ containerPort: 9443 }],
            },
          ],
        },
      },
    },
  };
  const manifest = path.join(folder, 'deployment.json');
  let kubernetes: Kubernetes;

  const kubectl = async (...args: readonly string[]) => {
    const file = path.join(folder, 'kubeconfig');
    await writeFile(file, (await started()).kubeconfig, { mode: 0o600 });
    const told = ['--kubeconfig', file, '--cache-dir', path.join(folder, 'kubectl-cache'), ...args];
    return promisify(execFile)('kubectl', told).then(
      ({ stdout }) => ({ code: 0, stdout, stderr: '' }),
      ({ code, stdout, stderr }) => ({ code, stdout, stderr }),
    );
  };

  beforeAll(async () => {
    kubernetes = new HttpKubernetesAccess().connect((await started()).kubeconfig);
    await kubernetes.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
    await kubernetes.apply(deployment);
    await writeFile(manifest, JSON.stringify(deployment));
  });

  test('reads what Petra applied as Petra reads it', async () => {
    const { stdout } = await kubectl(
      'get',
      '-n',
      namespace,
      'deployment/controller',
      '-o',
      'json',
      '--show-managed-fields',
    );
    const { apiVersion, kind, metadata } = deployment;
    expect(JSON.parse(stdout)).toEqual(await kubernetes.read({ apiVersion, kind, ...metadata }));
  });

  test('finds no difference between what Petra applied and what is stored', async () => {
    const { code, stdout, stderr } = await kubectl(
      ...['diff', '--server-side', '--field-manager=petra', '-f', manifest],
    );
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: '', stderr: '' });
  });

  test('may not take from Petra what Petra applied, unless it forces that', async () => {
    const changed = path.join(folder, 'changed.json');
    await writeFile(
      changed,
      JSON.stringify({ ...deployment, metadata: { ...deployment.metadata, labels: { app: 'y' } } }),
    );
    const { code, stderr } = await kubectl('apply', '--server-side', '-f', changed);
    expect(code).toBe(1);
    expect(stderr).toContain('conflict with "petra": .metadata.labels.app');
  });
});
