// The real `clusterctl alpha topology plan`, without a cluster: Cluster API's own topology controller and webhooks, run
// in clusterctl on the objects of one file. It knows no schema of other kinds, so a misspelled field passes it.

import { execFile } from 'node:child_process';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { parse } from 'yaml';
import type { KubernetesObject } from '../../core/ports.ts';

const run = promisify(execFile);

/** What Cluster API would do to a Cluster's objects. */
export interface TopologyPlan {
  readonly created: readonly KubernetesObject[];
  readonly modified: readonly { readonly before: KubernetesObject; readonly after: KubernetesObject }[];
  /** `Kind/name`: clusterctl shows no more of what it would delete. */
  readonly deleted: readonly string[];
}

/** A refusal by Cluster API, in its own words. */
export class PlanRefused extends Error {}

/** @throws PlanRefused */
export async function planTopology(
  { clusterctl, folder }: { readonly clusterctl: string; readonly folder: string },
  objects: readonly KubernetesObject[],
): Promise<TopologyPlan> {
  await mkdir(folder, { recursive: true });
  const file = path.join(folder, 'objects.yaml');
  // JSON is YAML, and clusterctl reads it faster.
  await writeFile(file, objects.map((object) => `${JSON.stringify(object)}\n`).join('---\n'));
  const text = await planText(clusterctl, folder, file);
  return {
    created: (await objectsIn(path.join(folder, 'created'), '.yaml')).filter((object) => !isShim(object)),
    modified: await modifiedIn(path.join(folder, 'modified')),
    deleted: deletedOf(text),
  };
}

async function planText(clusterctl: string, folder: string, file: string): Promise<string> {
  try {
    const { stdout } = await run(clusterctl, ['alpha', 'topology', 'plan', '-f', file, '-o', folder], {
      // No cluster and no configuration of whoever runs it.
      env: {
        PATH: process.env.PATH,
        HOME: folder,
        KUBECONFIG: '/dev/null',
        CLUSTERCTL_DISABLE_VERSIONCHECK: 'true',
        // It shows differences by another program, and nobody looks at them here.
        KUBECTL_EXTERNAL_DIFF: 'true',
      },
      timeout: 60_000,
    });
    return stdout;
  } catch (error) {
    const said = String(Reflect.get(Object(error), 'stderr') ?? '');
    const reason = said.split('\n').find((line) => line.startsWith('Error:'));
    if (reason === undefined) throw error;
    throw new PlanRefused(reason.slice('Error:'.length).trim(), { cause: error });
  }
}

/** Owns a cluster's first objects until the Cluster refers to them: Cluster API 1.9, topology/cluster/reconcile_state.go. */
function isShim({ kind, metadata }: KubernetesObject): boolean {
  return kind === 'Secret' && metadata.name.endsWith('-shim');
}

/** From the rows of the table that clusterctl prints: namespace, kind, name, action. */
export function deletedOf(text: string): readonly string[] {
  const colour = new RegExp(`${String.fromCharCode(27)}\\[[\\d;]*m`, 'g');
  return text
    .replaceAll(colour, '')
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter((row) => row.length === 4 && row[3] === 'deleted')
    .map(([, kind, name]) => `${kind}/${name}`);
}

async function modifiedIn(folder: string): Promise<TopologyPlan['modified']> {
  const [before, after] = await Promise.all(
    ['.original.yaml', '.modified.yaml'].map((ending) => objectsIn(folder, ending)),
  );
  return (before ?? []).map((original) => {
    const changed = after?.find((object) => sameObject(object, original));
    if (!changed) throw new Error(`clusterctl wrote no modified ${original.kind} ${original.metadata.name}`);
    return { before: original, after: changed };
  });
}

async function objectsIn(folder: string, ending: string): Promise<readonly KubernetesObject[]> {
  const names = await readdir(folder).catch(() => []);
  const files = names.filter((name) => name.endsWith(ending)).toSorted();
  return Promise.all(
    files.map(
      async (name): Promise<KubernetesObject> => parse(await readFile(path.join(folder, name), 'utf8')),
    ),
  );
}

export function sameObject(one: KubernetesObject, other: KubernetesObject): boolean {
  return one.kind === other.kind && one.metadata.name === other.metadata.name;
}
