// The verbs through the whole deployment, with real Kubernetes and real controllers behind them, and the tools of
// Kubernetes and Cluster API on what Petra made.

import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { HttpKubernetesAccess } from '../../adapters/http-kubernetes.ts';
import { connectSecretsManager } from '../../adapters/secrets-manager-client.ts';
import { SecretsManagerSecrets } from '../../adapters/secrets-manager-secrets.ts';
import { capaTag } from '../../core/capi/capa-tag.ts';
import { clusterNamespace } from '../../core/capi/translate-cluster.ts';
import { kubeconfigSecretName } from '../../core/management/secret-names.ts';
import type { KubernetesObject } from '../../core/ports.ts';
import type { VirtualAccount } from '../virtual-account/account.ts';
import { FleetRecords } from '../virtual-account/fleet-records.ts';
import { taggedThings } from '../virtual-account/leftovers.ts';
import { expectPetra, useStack } from '../virtual-account/petra-command.ts';
import { type KnownSecrets, placesWithSecrets } from '../virtual-account/secrecy.ts';
import { correctedManagement, workloadFile } from '../virtual-account/specs.ts';
import { expectClean, expectNothing } from '../virtual-account/story.ts';
import type { Binaries } from './binaries.ts';
import { Clusterctl } from './clusterctl.ts';
import type { RealAccount } from './real-account.ts';
import { managementVersions } from './releases.ts';

const run = promisify(execFile);

/** The name in the user's own spec. */
export const storyWorkload = 'workload-dev';
export const managementName = 'petra-mgmt';

export interface Stage {
  readonly real: RealAccount;
  readonly account: VirtualAccount;
  readonly binaries: Binaries;
  /** Releases in clusterctl's layout. */
  readonly releases: string;
  /** Of the run: data and logs. */
  readonly folder: string;
  /** What must be seen nowhere. */
  readonly secrets: KnownSecrets;
  /** Runs a piece, and says how long it took. */
  step<T>(title: string, work: () => Promise<T>): Promise<T>;
}

/** A management cluster that Petra made. */
export interface Management {
  readonly name: string;
  /** The spec that it was made from. */
  readonly file: string;
  /** What its node handed over. */
  readonly kubeconfig: string;
}

/** `petra capi init` of the user's own spec, with a version of CAPA that exists. */
export async function initManagement({ account, step, secrets }: Stage): Promise<Management> {
  const name = managementName;
  const file = correctedManagement(account.folder, name, managementVersions.capaVersion);
  await step('callers find the stack', () => useStack(account, ['reader', 'operator', 'admin']));
  await step('init', () => expectPetra(account, 'operator', ['capi', 'init', '-f', file]));
  await secrets.learn(account);
  const record = await new FleetRecords(account).cluster(name);
  const stored = new SecretsManagerSecrets(connectSecretsManager(account.moto.config));
  const kubeconfig = await stored.read(kubeconfigSecretName(record.uid));
  if (!kubeconfig) throw new Error(`the node of ${name} handed no kubeconfig over`);
  const management = { name, file, kubeconfig };
  await step("charts of the node's user data are being installed", () => expectInstallJobs(management));
  return management;
}

/** By k3s' own helm-controller; no Pod of theirs runs here. */
async function expectInstallJobs({ kubeconfig }: Management): Promise<void> {
  const kind = { apiVersion: 'batch/v1', kind: 'Job' };
  const jobs = await new HttpKubernetesAccess().connect(kubeconfig).list(kind, { namespace: 'kube-system' });
  const names = jobs.map(({ metadata }) => metadata.name).join(', ');
  expectWords('the list of Jobs', names, ['helm-install-cilium', 'helm-install-flux']);
}

/** A workload cluster from the user's own spec, until nothing is left of it. */
export async function liveWorkload(stage: Stage, management: Management): Promise<void> {
  const { real, account, step, secrets, binaries, releases } = stage;
  const name = storyWorkload;
  const clusterctl = new Clusterctl({
    program: binaries.clusterctl,
    folder: path.join(account.folder, 'clusterctl'),
    releases,
    kubeconfig: management.kubeconfig,
  });
  await step('clusterctl upgrade plan', async () => {
    const plan = await clusterctl.run('upgrade', 'plan');
    for (const { metadata, version } of await inventory(management))
      expectWords('clusterctl upgrade plan', plan, [metadata.name, String(version)]);
    expectWords('clusterctl upgrade plan', plan, ['already up to date']);
  });
  await step('create', () => expectPetra(account, 'operator', ['capi', 'create', '-f', workloadFile]));
  await secrets.learn(account);
  await step('list and describe', async () => {
    await expectPetra(account, 'reader', ['capi', 'list'], { says: [management.name, name, 'Ready'] });
    await expectPetra(account, 'reader', ['capi', 'describe', name], { says: [name, 'KThreesControlPlane'] });
  });
  await step('clusterctl describe cluster and get kubeconfig', async () => {
    const tree = await clusterctl.run('describe', 'cluster', name, '--namespace', clusterNamespace);
    expectWords('clusterctl describe cluster', tree, [
      `Cluster/${name}`,
      'AWSCluster/',
      'KThreesControlPlane/',
      'MachineDeployment/',
    ]);
    const theirs = await clusterctl.run('get', 'kubeconfig', name, '--namespace', clusterNamespace);
    const { stdout: ours } = await expectPetra(account, 'operator', kubeconfigCommand);
    if (theirs.trim() !== ours.trim())
      throw new Error('clusterctl get kubeconfig and petra capi cluster-kubeconfig give different files');
  });
  await step('cluster-kubeconfig and kubectl get nodes', () => useKubeconfig(account));
  await step('machines could do all that their user data says', async () => {
    const { problems } = real.workloads;
    if (problems.length > 0) throw new Error(`machines of ${name} would fail:\n${problems.join('\n')}`);
  });
  await step('delete', () => expectPetra(account, 'admin', ['capi', 'delete', '-f', workloadFile, '--yes']));
  await step('nothing with the tag of the cluster is left', async () =>
    expectNothing(await taggedThings(account.moto, capaTag(name).key), 'after delete'),
  );
}

/** Removes the management cluster, and looks at what must be true at the end. */
export async function destroyManagement(
  { account, step, secrets, folder }: Stage,
  management: Management,
): Promise<void> {
  await step('destroy', () =>
    expectPetra(account, 'admin', ['capi', 'destroy', '-f', management.file, '--yes']),
  );
  await step('nothing of Petra is left', async () =>
    expectNothing(await taggedThings(account.moto), 'after destroy'),
  );
  await step('no secret was seen', async () => {
    const logs = await logsOfPrograms(folder);
    const places = await placesWithSecrets(account, secrets, logs);
    if (places.length > 0) throw new Error(`secrets were seen:\n${places.join('\n')}`);
  });
  await step('nothing was called that a role or a network does not allow', () => expectClean(account));
}

/** What real programs printed, and what API servers wrote down as their audit policy says. */
async function logsOfPrograms(folder: string): Promise<readonly string[]> {
  const files = await readdir(folder, { recursive: true });
  const logs = files.filter((file) => /^logs\/[^/]+\.log$|\/audit\.log$/.test(file));
  if (!logs.some((file) => file.endsWith('/audit.log'))) throw new Error('no API server wrote an audit log');
  return logs.map((file) => path.join(folder, file));
}

const kubeconfigCommand = ['capi', 'cluster-kubeconfig', '-f', workloadFile];

/** clusterctl's own record of what is installed. */
function inventory({ kubeconfig }: Management): Promise<readonly KubernetesObject[]> {
  const kind = { apiVersion: 'clusterctl.cluster.x-k8s.io/v1alpha3', kind: 'Provider' };
  return new HttpKubernetesAccess().connect(kubeconfig).list(kind);
}

async function useKubeconfig(account: VirtualAccount): Promise<void> {
  const { stdout } = await expectPetra(account, 'operator', kubeconfigCommand);
  const file = path.join(account.folder, 'workload-dev.kubeconfig');
  writeFileSync(file, stdout, { mode: 0o600 });
  const nodes = await run('kubectl', ['--kubeconfig', file, 'get', 'nodes', '--no-headers']);
  const ready = nodes.stdout.split('\n').filter((line) => /\sReady\s/.test(line));
  if (ready.length !== 3)
    throw new Error(`kubectl sees ${ready.length} Ready nodes, not 3:\n${nodes.stdout}`);
}

function expectWords(what: string, text: string, words: readonly string[]): void {
  const missing = words.filter((word) => !text.includes(word));
  if (missing.length > 0) throw new Error(`${what} does not say ${missing.join(', ')}:\n${text}`);
}
