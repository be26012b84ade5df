import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { releaseFiles } from './release-files.ts';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'petra-release-files-'));
  for (const label of ['bootstrap-k3s', 'control-plane-k3s', 'cert-manager'])
    await mkdir(path.join(folder, label, 'v1.2.3'), { recursive: true });
  for (const [file, text] of [
    ['bootstrap-k3s/v1.2.3/bootstrap-components.yaml', 'bootstrap'],
    ['bootstrap-k3s/v1.2.3/metadata.yaml', 'metadata'],
    ['control-plane-k3s/v1.2.3/control-plane-components.yaml', 'control plane'],
    ['cert-manager/v1.2.3/cert-manager.yaml', 'cert-manager'],
  ] as const)
    await writeFile(path.join(folder, file), text);
});

afterAll(() => rm(folder, { recursive: true }));

test.each([
  ['k3s-io/cluster-api-k3s', 'bootstrap-components.yaml', 'bootstrap'],
  ['k3s-io/cluster-api-k3s', 'control-plane-components.yaml', 'control plane'],
  ['k3s-io/cluster-api-k3s', 'metadata.yaml', 'metadata'],
  ['cert-manager/cert-manager', 'cert-manager.yaml', 'cert-manager'],
])('%s: %s is found in its folder', async (repository, file, text) => {
  expect(await releaseFiles(folder)({ repository, version: 'v1.2.3', file })).toBe(text);
});

test.each([
  ['k3s-io/cluster-api-k3s', 'v9.9.9', 'metadata.yaml'],
  ['k3s-io/cluster-api-k3s', 'v1.2.3', 'infrastructure-components.yaml'],
  ['somebody/else', 'v1.2.3', 'metadata.yaml'],
  ['k3s-io/k3s', 'v1.2.3', 'sha256sum-amd64.txt'],
])('%s %s: there is no %s', async (repository, version, file) => {
  expect(await releaseFiles(folder)({ repository, version, file })).toBeUndefined();
});
