// Holds the simulated controllers to what the real ones were seen to do: test/fixtures/traces, written by the
// conformance run.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Disk } from '../../local/disk.ts';
import { SimulatedKubernetes } from '../../local/kubernetes/api-server.ts';
import { readTrace, tracedSpec } from '../conformance/check-traces.ts';
import { compareRun, describeDifference } from '../conformance/trace-compare.ts';
import type { Run } from '../conformance/trace-run.ts';
import { type Chapter, chapters, recordLife } from '../conformance/trace-story.ts';
import { install, startTestbed, type Testbed } from './controllers-fixture.ts';
import { meantDifferences } from './controllers-trace-differences.ts';

let folder: string;
let server: SimulatedKubernetes;
let testbed: Testbed;
let life: Readonly<Record<Chapter, Run>>;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'petra-traces-'));
  server = new SimulatedKubernetes({ disk: Disk.inMemory(), folder });
  await server.start();
  const store = await server.ensureCluster('management', { name: 'management' });
  testbed = startTestbed({ store, speed: 40 });
  await install(store);
  const kubeconfig = await server.kubeconfig('management');
  life = await recordLife({ kubeconfig, spec: await tracedSpec(), say: () => {}, quietSeconds: 0.5 });
}, 120_000);

afterAll(async () => {
  await testbed.stop();
  await server.stop();
  await rm(folder, { recursive: true });
});

test.each(chapters)('to %s a cluster the simulated controllers do what the real ones do', async (chapter) => {
  const found = compareRun(await readTrace(chapter), life[chapter]);
  const unmeant = found.filter((difference) => !meantDifferences.some((meant) => meant.covers(difference)));
  expect(unmeant.map(describeDifference)).toEqual([]);
});

test('every difference that is meant is still there', async () => {
  const found = await Promise.all(
    chapters.map(async (chapter) => compareRun(await readTrace(chapter), life[chapter])),
  );
  const idle = meantDifferences.filter((meant) => !meant.sometimes && !found.flat().some(meant.covers));
  expect(idle.map(({ why }) => why)).toEqual([]);
});
