// Holds the stored traces to the controllers that run now, or adds to them what these do.

import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { canonicalJson } from '../../core/canonical-json.ts';
import { parseClusterSpec } from '../../core/capi/cluster-spec.ts';
import type { ClusterSpec } from '../../core/capi/spec-schema.ts';
import { versions } from './go-modules.ts';
import { mergeRuns, type Trace } from './trace.ts';
import { compareRun, describeDifference } from './trace-compare.ts';
import { joinTraces } from './trace-join.ts';
import type { Run } from './trace-run.ts';
import { type Chapter, chapters, recordLife } from './trace-story.ts';

const root = join(import.meta.dirname, '../..');
const storedFolder = join(root, 'test/fixtures/traces');

export interface TraceWorld {
  /** A management cluster with running controllers and Petra's ClusterClass; Nodes must register by themselves. */
  readonly kubeconfig: string;
  /** Where a fresh recording is left when it differs. */
  readonly folder: string;
  readonly say: (line: string) => void;
  /** Stores so many recordings instead of comparing one: with those that are there, when they are of the same versions. */
  readonly record?: number;
  readonly limitSeconds?: number;
}

/** @throws Error that names every difference between what is stored and what the controllers do */
export async function checkTraces(world: TraceWorld): Promise<void> {
  const { say, folder, record } = world;
  const spec = await tracedSpec();
  const ofWhat = await tracedVersions();
  const lives: Readonly<Record<Chapter, Run>>[] = [];
  for (let i = 0; i < (record ?? 1); i++) lives.push(await recordLife({ ...world, spec }));
  const problems: string[] = [];
  for (const chapter of chapters) {
    const runs = lives.map((life) => life[chapter]);
    const fresh = mergeRuns(runs, ofWhat);
    const stored = await readTrace(chapter);
    if (record !== undefined) {
      const isSame = canonicalJson(stored.versions) === canonicalJson(fresh.versions);
      await writeTrace(storedFolder, chapter, isSame ? joinTraces(stored, fresh) : fresh);
      continue;
    }
    const differences = runs.flatMap((run) => compareRun(stored, run));
    if (differences.length === 0) continue;
    await writeTrace(folder, chapter, fresh);
    problems.push(...differences.map((difference) => `${chapter}: ${describeDifference(difference)}`));
  }
  if (problems.length > 0) {
    throw new Error(`the controllers do not do what test/fixtures/traces says:\n${problems.join('\n')}`);
  }
  say(record === undefined ? 'the stored traces are true' : `${record} recordings are stored`);
}

/** Of everything that has a part in a recording. */
export async function tracedVersions(): Promise<Readonly<Record<string, string>>> {
  const tools = await readFile(join(root, 'scripts/python-tools/moto.txt'), 'utf8');
  return {
    kubernetes: versions.kubernetes,
    'cluster-api': versions.capi,
    'cluster-api-k3s': versions.k3sProviders,
    'cluster-api-provider-aws': versions.capa,
    moto: /^moto(?:\[.*\])?==(\S+)/m.exec(tools)?.[1] ?? 'unknown',
  };
}

/** The cluster whose life is recorded: the example's, under a name of its own. */
export async function tracedSpec(): Promise<ClusterSpec> {
  const file = join(root, 'examples/workload-dev.yaml');
  const spec = parseClusterSpec(await readFile(file), { file });
  return { ...spec, metadata: { ...spec.metadata, name: 'traced' } };
}

export async function readTrace(chapter: Chapter): Promise<Trace> {
  // Written by this file, and read by people in every change of it.
  return JSON.parse(await readFile(join(storedFolder, `${chapter}.json`), 'utf8')) as Trace;
}

async function writeTrace(folder: string, chapter: Chapter, trace: Trace): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, `${chapter}.json`), `${JSON.stringify(trace, null, 2)}\n`);
}
