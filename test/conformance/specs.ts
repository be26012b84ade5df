// Every rendered object, strictly: what Petra makes of specs, given to the real Cluster API, the real webhooks, the real
// k3s bootstrap provider and k3s's own helm-controller. Finds all problems before it fails.

import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { HttpKubernetesAccess } from '../../adapters/http-kubernetes.ts';
import type { NodeFile } from '../../core/capi/node-file.ts';
import { renderClusterClass } from '../../core/capi/render-cluster-class.ts';
import type { ClusterSpec } from '../../core/capi/spec-schema.ts';
import { messageOf } from '../../core/errors.ts';
import { listAt } from '../../core/json-fields.ts';
import { managementNodes, renderManagementUserData } from '../../core/management/k3s-user-data.ts';
import { userDataLimitBytes } from '../../core/management/user-data-size.ts';
import type { KubernetesObject } from '../../core/ports.ts';
import { example } from '../core/capi/translate-samples.ts';
import { largest, sampleSpecs } from './generated-specs.ts';
import { chartProblems, chartsIn } from './helm-jobs.ts';
import { differenceBetween } from './object-difference.ts';
import { PlannedCluster, type WantedCluster, wantedCluster } from './planned-cluster.ts';
import { renderUserData, sentBytes } from './rendered-user-data.ts';
import { simulatedRollouts, simulationProblems } from './simulated-topology.ts';
import { specChanges, unchanged } from './spec-changes.ts';
import { PlanRefused, type TopologyPlan } from './topology-plan.ts';
import { applyClass, dryRunProblems, type Trial } from './trial-namespace.ts';
import { filesOf, userDataProblems } from './user-data-problems.ts';

export interface SpecsWorld {
  readonly binaries: { readonly clusterctl: string; readonly 'helm-controller': string };
  /** Of an administrator of a management cluster on which all providers run. */
  readonly kubeconfig: string;
  /** For plans, logs and whatever else a failure would be looked up in. */
  readonly folder: string;
  readonly say: (line: string) => void;
}

/** With those that are always in, fifty specs: each is planned, and its objects are tried on the API server. */
const drawnSpecs = 32;
const uid = '3f2a9c1e-5d4b-4c8a-9e7f-0123456789ab';
const clusterClass = renderClusterClass();

/** What needs no cluster. @throws Error with every problem */
export async function checkPlans(world: Pick<SpecsWorld, 'binaries' | 'folder' | 'say'>): Promise<void> {
  const { problems } = await plannedSpecs(world);
  failWith([...problems, ...(await changeProblems(world))]);
}

/** Everything. What it makes on the management cluster, it removes. @throws Error with every problem */
export async function checkSpecs(world: SpecsWorld): Promise<void> {
  const kubernetes = new HttpKubernetesAccess().connect(world.kubeconfig);
  const trial = { kubernetes, namespace: 'petra-trial', kubeconfig: world.kubeconfig };
  const { planned, problems } = await plannedSpecs(world);
  const changes = await changeProblems(world);
  const objects = await orProblem('trial objects', () => strictProblems(world, trial, planned));
  const machines = await orProblem('user data', () => machineProblems(world, trial, planned));
  await kubernetes.remove({ apiVersion: 'v1', kind: 'Namespace', name: trial.namespace });
  const charts = await orProblem('HelmCharts', () => helmProblems(world, planned));
  failWith([...problems, ...changes, ...objects, ...machines, ...charts]);
}

/** What keeps one check from its end is a problem too, and none of the others'. */
async function orProblem(what: string, check: () => Promise<readonly string[]>): Promise<readonly string[]> {
  try {
    return await check();
  } catch (error) {
    return [`${what}: ${messageOf(error)}`];
  }
}

function failWith(problems: readonly string[]): void {
  if (problems.length === 0) return;
  throw new Error(`${problems.length} problems of rendered objects:\n${problems.join('\n')}`);
}

interface PlannedSpec {
  readonly wanted: WantedCluster;
  readonly plan: TopologyPlan;
}

/** Cluster API's own plan of each spec, and whether the simulated controllers would do the same. */
async function plannedSpecs({ binaries, folder, say }: Pick<SpecsWorld, 'binaries' | 'folder' | 'say'>) {
  const planned: PlannedSpec[] = [];
  const problems: string[] = [];
  const specs = sampleSpecs({ drawn: drawnSpecs });
  await twoAtATime(specs, async (spec, index) => {
    const { name } = spec.metadata;
    const wanted = wantedCluster(spec, clusterClass, uid);
    const tool = { clusterctl: binaries.clusterctl, folder: path.join(folder, 'plans', `${index}-${name}`) };
    try {
      const plan = await new PlannedCluster(tool).create(wanted);
      planned.push({ wanted, plan });
      problems.push(...simulationProblems(wanted, plan).map((problem) => `${name}: ${problem}`));
    } catch (error) {
      problems.push(`${name} is refused by the plan: ${messageOf(error)}`);
    }
  });
  problems.push(...(await acceptedNonsense({ clusterctl: binaries.clusterctl, folder })));
  say(`${specs.length} specs: clusterctl plans them, and the simulation makes the same objects`);
  return { planned, problems };
}

/** A plan that took everything would prove nothing: it must refuse a variable that the class has not. */
async function acceptedNonsense({
  clusterctl,
  folder,
}: {
  readonly clusterctl: string;
  readonly folder: string;
}): Promise<readonly string[]> {
  const wanted = wantedCluster(unchanged, clusterClass, uid);
  const text = JSON.stringify(wanted.cluster).replace('"name":"region"', '"name":"regions"');
  const nonsense: KubernetesObject = JSON.parse(text);
  try {
    const tool = { clusterctl, folder: path.join(folder, 'plans', 'nonsense') };
    await new PlannedCluster(tool).create({ ...wanted, cluster: nonsense });
    return ['the plan takes a variable that the class does not have'];
  } catch (error) {
    return error instanceof PlanRefused ? [] : [messageOf(error)];
  }
}

/** Whether each change of a spec has the consequences that it must have, and no others. */
async function changeProblems({
  binaries,
  folder,
  say,
}: Pick<SpecsWorld, 'binaries' | 'folder' | 'say'>): Promise<readonly string[]> {
  const problems: string[] = [];
  await twoAtATime(specChanges, async (change, index) => {
    const tool = { clusterctl: binaries.clusterctl, folder: path.join(folder, 'changes', String(index)) };
    const cluster = new PlannedCluster(tool);
    const before = wantedCluster(unchanged, clusterClass, uid);
    const after = wantedCluster(change.spec, change.clusterClass ?? clusterClass, change.uid ?? uid);
    try {
      await cluster.create(before);
      const stages = await cluster.change(after);
      const rollouts = stages.flatMap((stage) => stage.rollouts);
      const differences = [
        ...differenceBetween({ stages: change.stages }, { stages }),
        ...differenceBetween({ simulated: simulatedRollouts(before, after) }, { simulated: rollouts }),
      ];
      problems.push(...differences.map((difference) => `change of ${change.name}: ${difference}`));
    } catch (error) {
      problems.push(`change of ${change.name}: ${messageOf(error)}`);
    }
  });
  say(`${specChanges.length} changes of a spec: only what must change changes`);
  return problems;
}

/** Whether the API server and the webhooks take the Clusters, and every object that Cluster API makes of them. */
async function strictProblems(
  { say }: SpecsWorld,
  trial: Trial,
  planned: readonly PlannedSpec[],
): Promise<readonly string[]> {
  await applyClass(trial, clusterClass);
  const problems: string[] = [];
  const misspelt = { ...unchangedCluster(), spec: { clusterNetworks: {} } };
  // Else the server would not be as strict as the check is meant to be.
  if ((await dryRunProblems(trial, [misspelt])).length === 0) problems.push('a misspelt field is taken');
  let count = 0;
  await twoAtATime(planned, async ({ wanted, plan }) => {
    const objects = [wanted.cluster, ...plan.created];
    count += objects.length;
    const found = await dryRunProblems(trial, objects);
    problems.push(...found.map((problem) => `${wanted.cluster.metadata.name}: ${problem}`));
  });
  say(`${count} objects of ${planned.length} specs: taken by the webhooks, strictly`);
  return problems;
}

function unchangedCluster(): KubernetesObject {
  return wantedCluster(unchanged, clusterClass, uid).cluster;
}

/** Machines of the spec with most in it, and of one with neither addon: what they would be sent. */
async function machineProblems(
  { say }: SpecsWorld,
  trial: Trial & { readonly kubeconfig: string },
  planned: readonly PlannedSpec[],
): Promise<readonly string[]> {
  const problems: string[] = [];
  const subjects = [largest.metadata.name, 'flannel'];
  const tried = planned.filter(({ wanted }) => subjects.includes(wanted.cluster.metadata.name));
  await Promise.all(
    tried.map(async ({ wanted, plan }) => {
      const { name } = wanted.cluster.metadata;
      const rendered = await renderUserData(trial, wanted.cluster, plan);
      for (const kind of ['first server', 'joining server', 'agent'] as const) {
        const userData = rendered[kind];
        const files = plannedFiles(plan, kind === 'agent' ? 'KThreesConfigTemplate' : 'KThreesControlPlane');
        const found = userDataProblems(kind, userData, files);
        problems.push(...found.map((problem) => `${name}, ${kind}: ${problem}`));
        say(`${name}, ${kind}: ${sentBytes(userData)} of ${userDataLimitBytes} bytes of user data`);
      }
    }),
  );
  return problems;
}

/** Charts of workload clusters as Cluster API filled them in, and those of a management cluster. */
async function helmProblems(
  { binaries, kubeconfig, folder, say }: SpecsWorld,
  planned: readonly PlannedSpec[],
): Promise<readonly string[]> {
  const kubernetes = new HttpKubernetesAccess().connect(kubeconfig);
  const workload = planned
    .filter(({ wanted }) => ['workload-dev', largest.metadata.name].includes(wanted.cluster.metadata.name))
    .flatMap(({ plan }) => plannedFiles(plan, 'KThreesControlPlane'));
  const charts = chartsIn([...workload, ...managementFiles()]);
  await mkdir(folder, { recursive: true });
  const problems = await chartProblems(
    { helmController: binaries['helm-controller'], kubernetes, kubeconfig, folder },
    charts,
  );
  say(`${charts.length} HelmCharts: installed by the Jobs of k3s's helm-controller`);
  return problems;
}

/** Files that Petra asks for, after Cluster API's patches. */
function plannedFiles(plan: TopologyPlan, kind: string): readonly NodeFile[] {
  const spec = plan.created.find((object) => object.kind === kind)?.spec;
  const files =
    kind === 'KThreesControlPlane'
      ? listAt(spec, 'kthreesConfigSpec', 'files')
      : listAt(spec, 'template', 'spec', 'files');
  // The schema of both kinds has the fields of a NodeFile, and Petra gives them all.
  return files as readonly NodeFile[];
}

function managementFiles(): readonly NodeFile[] {
  const spec: ClusterSpec = example('management.yaml');
  const nodes = managementNodes({
    name: spec.metadata.name,
    uid,
    region: spec.spec.target.region,
    spec,
    serverAddresses: Array.from(
      { length: spec.spec.nodes.controlPlane.count },
      (_, index) => `10.0.0.${10 + index}`,
    ),
  });
  return nodes.flatMap((node) =>
    [...filesOf(renderManagementUserData(node))].map(([file, content]) => ({
      path: file,
      content,
      owner: 'root:root' as const,
      permissions: '0600',
    })),
  );
}

/** Each of these is a process of its own, and the machine has two processors. */
async function twoAtATime<Item>(
  items: readonly Item[],
  work: (item: Item, index: number) => Promise<void>,
): Promise<void> {
  const queue = items.entries();
  await Promise.all(
    [1, 2].map(async () => {
      for (const [index, item] of queue) await work(item, index);
    }),
  );
}
