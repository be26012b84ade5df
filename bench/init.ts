// How quickly an empty API server becomes a management cluster whose controllers work, cert-manager included, next to
// `clusterctl init --wait-providers`.
//
//   node scripts/bootstrap.mjs bench/init.ts [ROUNDS]
//
// Every run gets an API server of its own and a stand-in for the kubelet, which starts the real controllers
// (docs/conformance.md). Petra goes through the states of init from InstallComponents to the end, with their true waits:
// the ClusterClass is part of it, and the proof that everything works. Its steps run in this process rather than in
// functions, and manifests were made into objects before, as FetchComponents does before any machine is launched.

import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { HttpKubernetesAccess } from '../adapters/http-kubernetes.ts';
import { beginMaking } from '../core/begin-operation.ts';
import { providerVariables } from '../core/capi/providers.ts';
import type { Ports } from '../core/petra.ts';
import type { Artifacts, Releases } from '../core/ports.ts';
import { steps } from '../core/steps/catalogue.ts';
import type { StepInput } from '../core/steps/context.ts';
import { runFinalStep, runStep, type StepOutput } from '../core/steps/run-step.ts';
import { Pace } from '../local/pace.ts';
import { runWorkflow } from '../local/run-workflow.ts';
import { startApiServer } from '../test/conformance/api-server.ts';
import { binaries } from '../test/conformance/binaries.ts';
import { versions } from '../test/conformance/go-modules.ts';
import { StandInKubelet } from '../test/conformance/kubelet.ts';
import { PodNetwork } from '../test/conformance/pod-network.ts';
import { Processes } from '../test/conformance/processes.ts';
import { clusterctlConfiguration, managementVersions, releaseFolder } from '../test/conformance/releases.ts';
import { addAddress, enterSandbox } from '../test/conformance/sandbox.ts';
import { managementSpec, testPorts, workloadSpec } from '../test/core/test-ports.ts';
import { printComparison } from './comparison.ts';
import { runToEnd } from './run-to-end.ts';

const rounds = Number(process.argv[2] ?? 3);
const address = '10.99.0.1';

const say = (line: string) => console.log(line);
const programs = await binaries(say);
const releases = await releaseFolder(say);
await enterSandbox();
await addAddress(address);

const folder = await mkdtemp(path.join(tmpdir(), 'petra-init-'));
const processes = new Processes({ logs: path.join(folder, 'logs') });
const network = new PodNetwork(path.join(folder, 'networks'));

/** What a way of installing takes on an empty cluster with a kubelet: it says how many seconds. */
async function measure(install: (kubeconfig: string, home: string) => Promise<number>): Promise<number> {
  const home = await mkdtemp(path.join(folder, 'run-'));
  const api = await startApiServer({
    processes,
    binaries: programs,
    folder: path.join(home, 'api'),
    address,
    port: 6443,
  });
  const kubelet = new StandInKubelet({
    kubeconfig: api.kubeconfig,
    processes,
    binaries: programs,
    folder: path.join(home, 'pods'),
    network,
    nodeAddress: address,
  });
  try {
    return await install(api.kubeconfig, home);
  } finally {
    await kubelet.stop();
    await api.end();
    await rm(home, { recursive: true, force: true });
  }
}

/** Release files as clusterctl's local repository has them. */
const localReleases: Releases = {
  kind: 'mirror',
  fetch: ({ version, file }) => readFile(path.join(releases, labelOf(file), version, file), 'utf8'),
};

function labelOf(file: string): string {
  const labels: Readonly<Record<string, string>> = {
    'core-components.yaml': 'cluster-api',
    'bootstrap-components.yaml': 'bootstrap-k3s',
    'control-plane-components.yaml': 'control-plane-k3s',
    'infrastructure-components.yaml': 'infrastructure-aws',
    'cert-manager.yaml': 'cert-manager',
  };
  return labels[file] ?? '';
}

function memoryArtifacts(): Artifacts {
  const texts = new Map<string, string>();
  return {
    store: async (text) => {
      const sha256 = createHash('sha256').update(text).digest('hex');
      texts.set(sha256, text);
      return sha256;
    },
    read: async (sha256) => texts.get(sha256),
  };
}

/** An init that has come to its Kubernetes part; what is left of it is to be run. */
async function initOn(kubeconfig: string): Promise<{ run(): Promise<void>; close(): Promise<void> }> {
  const base = await testPorts({
    clock: { now: () => new Date() },
    artifacts: memoryArtifacts(),
    releases: localReleases,
    kubernetes: new HttpKubernetesAccess(),
  });
  // Its only secret is the kubeconfig.
  const secrets = { ...base.secrets, read: async () => kubeconfig };
  const ports: Ports = { ...base, secrets };
  const spec = workloadSpec('mgmt', { ...managementSpec().spec, management: managementVersions });
  const { operation } = await beginMaking(ports, { verb: 'init', spec, caller: 'local:bench' });
  if (!operation) throw new Error('nothing runs');
  const { id, verb, cluster, uid, fence } = operation;
  const input = { operation: { id, verb, cluster, uid, fence } };
  const task = async (state: string, payload: unknown): Promise<StepOutput> => {
    const step = steps.init[state];
    if (!step) throw new Error(`init has no ${state}`);
    const begun = performance.now();
    try {
      // What the state machine gives to its functions.
      return await (step.final ? runFinalStep : runStep)(ports, state, step, payload as StepInput);
    } finally {
      if (process.env.TRACE) say(`  ${state} ${((performance.now() - begun) / 1000).toFixed(2)}`);
    }
  };
  const { components } = await task('FetchComponents', input);
  const file = new URL('../state-machines/init.asl.json', import.meta.url);
  const definition = { ...JSON.parse(await readFile(file, 'utf8')), StartAt: 'InstallComponents' };
  return {
    run: () =>
      runWorkflow(
        definition,
        { ...input, fetched: { components } },
        { task, pace: new Pace(1), signal: new AbortController().signal },
      ),
    close: () => base.close(),
  };
}

async function byPetra(kubeconfig: string): Promise<number> {
  const init = await initOn(kubeconfig);
  try {
    const begun = performance.now();
    await init.run();
    return (performance.now() - begun) / 1000;
  } finally {
    await init.close();
  }
}

async function byClusterctl(kubeconfig: string, home: string): Promise<number> {
  const file = path.join(home, 'kubeconfig');
  const config = path.join(home, 'clusterctl.yaml');
  await writeFile(file, kubeconfig, { mode: 0o600 });
  await writeFile(config, clusterctlConfiguration(releases, providerVariables));
  const begun = performance.now();
  await runToEnd(
    [
      programs.clusterctl,
      'init',
      ...['--config', config, '--kubeconfig', file],
      ...['--core', `cluster-api:${versions.capi}`, '--bootstrap', `k3s:${versions.k3sProviders}`],
      ...['--control-plane', `k3s:${versions.k3sProviders}`, '--infrastructure', `aws:${versions.capa}`],
      ...['--wait-providers', '--wait-provider-timeout', '600'],
    ],
    { HOME: home, CLUSTERCTL_DISABLE_VERSIONCHECK: 'true' },
  );
  return (performance.now() - begun) / 1000;
}

let isMet = true;
try {
  const taken = { petra: [] as number[], clusterctl: [] as number[] };
  for (let round = 0; round < rounds; round += 1) {
    taken.petra.push(await measure(byPetra));
    taken.clusterctl.push(await measure(byClusterctl));
    if (process.env.TRACE) say(JSON.stringify(taken));
  }
  const clusterctl = 'clusterctl init --wait-providers';
  isMet = printComparison(
    'From an empty API server to controllers that work, cert-manager included',
    [
      { name: 'Petra', seconds: taken.petra },
      { name: clusterctl, seconds: taken.clusterctl },
    ],
    [{ of: 'Petra', against: clusterctl, ratio: 0.5 }],
  );
} finally {
  await processes.stopAll();
  await rm(folder, { recursive: true, force: true });
}
process.exit(isMet ? 0 : 1);
