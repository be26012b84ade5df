// How quickly the four providers are installed on a fresh API server, next to `clusterctl init` without waiting and to
// `kubectl apply --server-side` of the same objects: on this machine, and over a way of 25 ms.
//
//   node scripts/bootstrap.mjs bench/install.ts [ROUNDS]
//
// Every run gets an API server of its own (real kube-apiserver and etcd, no controllers), on which cert-manager's
// definitions are served already: whoever installs takes cert-manager for installed. The contenders take turns, each in a
// process that starts anew. Petra is measured twice. `Petra` applies what its state FetchComponents made of the manifests
// before any machine was launched; `Petra with its manifests` reads them as well, as clusterctl does.

import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { build } from 'esbuild';
import { HttpKubernetesAccess } from '../adapters/http-kubernetes.ts';
import { type Installation, planInstallation } from '../core/capi/installation.ts';
import {
  type ComponentKey,
  certManagerRelease,
  providersFor,
  providerVariables,
} from '../core/capi/providers.ts';
import { toYaml } from '../core/capi/render-all.ts';
import { applyAll } from '../core/steps/apply-all.ts';
import { isServed } from '../core/steps/forgotten-definitions.ts';
import { startApiServer } from '../test/conformance/api-server.ts';
import { binary } from '../test/conformance/binaries.ts';
import { versions } from '../test/conformance/go-modules.ts';
import { Processes } from '../test/conformance/processes.ts';
import { clusterctlConfiguration, managementVersions, releaseFolder } from '../test/conformance/releases.ts';
import { addAddress, enterSandbox } from '../test/conformance/sandbox.ts';
import { type Contender, printComparison } from './comparison.ts';
import { runToEnd } from './run-to-end.ts';
import { openSlowLink } from './slow-link.ts';

const rounds = Number(process.argv[2] ?? 5);
const address = '10.99.0.1';
const port = 6443;

const say = (line: string) => console.log(line);
const programs = {
  etcd: await binary('etcd', say),
  'kube-apiserver': await binary('kube-apiserver', say),
  'kube-controller-manager': await binary('kube-controller-manager', say),
};
const clusterctl = await binary('clusterctl', say);
const releases = await releaseFolder(say);
await enterSandbox();
await addAddress(address);

const folder = await mkdtemp(path.join(tmpdir(), 'petra-install-'));
const processes = new Processes({ logs: path.join(folder, 'logs') });
const installation = await plan();
const files = await writeFiles(installation);

interface Tool {
  readonly name: string;
  readonly line: (kubeconfig: string) => readonly [string, ...string[]];
}

// One small file, as functions are.
const petra = path.join(folder, 'petra.mjs');
await build({
  entryPoints: [path.join(import.meta.dirname, 'install-providers.ts')],
  outfile: petra,
  bundle: true,
  minify: true,
  platform: 'node',
  format: 'esm',
  banner: {
    js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
  },
});
const tools: readonly Tool[] = [
  { name: 'Petra', line: (kubeconfig) => [process.execPath, petra, kubeconfig, '--plan', files.plan] },
  {
    name: 'Petra with its manifests',
    line: (kubeconfig) => [process.execPath, petra, kubeconfig, '--releases', releases],
  },
  {
    name: 'clusterctl init',
    line: (kubeconfig) => [
      clusterctl,
      'init',
      ...['--config', files.clusterctl, '--kubeconfig', kubeconfig],
      ...['--core', `cluster-api:${versions.capi}`, '--bootstrap', `k3s:${versions.k3sProviders}`],
      ...['--control-plane', `k3s:${versions.k3sProviders}`, '--infrastructure', `aws:${versions.capa}`],
    ],
  },
  {
    name: 'kubectl apply --server-side',
    line: (kubeconfig) => [
      'kubectl',
      ...[
        'apply',
        '--server-side',
        '--kubeconfig',
        kubeconfig,
        '--cache-dir',
        path.join(kubeconfig, '../cache'),
      ],
      ...['-f', files.objects],
    ],
  },
];

async function plan(): Promise<Installation> {
  const read = (key: ComponentKey, version: string, file: string) =>
    readFile(path.join(releases, key, version, file), 'utf8');
  const certManager = certManagerRelease(managementVersions.certManagerVersion);
  const manifests: Partial<Record<ComponentKey, string>> = {
    'cert-manager': await read('cert-manager', certManager.version, certManager.file),
  };
  for (const { provider, version, components } of providersFor(managementVersions)) {
    manifests[provider.key] = await read(provider.key, version, components.file);
  }
  return planInstallation({
    versions: managementVersions,
    // The folder has all of them.
    manifests: manifests as Record<ComponentKey, string>,
    variables: providerVariables,
  });
}

async function writeFiles({ foundation, certificates, controllers }: Installation) {
  const made = {
    plan: path.join(folder, 'plan.json'),
    clusterctl: path.join(folder, 'clusterctl.yaml'),
    objects: path.join(folder, 'objects'),
  };
  await mkdir(made.objects);
  await writeFile(made.plan, JSON.stringify({ foundation, certificates, controllers }));
  await writeFile(made.clusterctl, clusterctlConfiguration(releases, providerVariables));
  const all = [...foundation, ...certificates, ...controllers];
  const isNamespace = ({ kind }: { readonly kind: string }) => kind === 'Namespace';
  await writeFile(path.join(made.objects, '1.yaml'), toYaml(all.filter(isNamespace)));
  await writeFile(path.join(made.objects, '2.yaml'), toYaml(all.filter((object) => !isNamespace(object))));
  return made;
}

/** Seconds of one installation on an API server that has seen none, and is reached by this port. */
async function measure(tool: Tool, reachedBy: number): Promise<number> {
  const home = await mkdtemp(path.join(folder, 'run-'));
  const api = await startApiServer({
    processes,
    binaries: programs,
    folder: path.join(home, 'api'),
    address,
    port,
    controllers: false,
  });
  try {
    await serveCertManager(api.kubeconfig);
    const kubeconfig = path.join(home, 'kubeconfig');
    await writeFile(kubeconfig, api.kubeconfig.replace(`:${port}`, `:${reachedBy}`), { mode: 0o600 });
    const begun = performance.now();
    await runToEnd(tool.line(kubeconfig), { HOME: home, CLUSTERCTL_DISABLE_VERSIONCHECK: 'true' });
    return (performance.now() - begun) / 1000;
  } finally {
    await api.end();
    await rm(home, { recursive: true, force: true });
  }
}

/** cert-manager without its webhooks, which nothing would answer. */
async function serveCertManager(kubeconfig: string): Promise<void> {
  const api = new HttpKubernetesAccess().connect(kubeconfig);
  const isDefinition = ({ kind }: { readonly kind: string }) => kind === 'CustomResourceDefinition';
  const wanted = installation.certManager.filter(({ kind }) => !kind.endsWith('WebhookConfiguration'));
  await applyAll(api, wanted);
  const listed = () => api.list({ apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition' });
  const areServed = async () =>
    (await listed()).filter(isServed).length >= wanted.filter(isDefinition).length;
  while (!(await areServed())) await sleep(100);
  // The API server goes on publishing them for a moment.
  await sleep(1000);
}

/** Of each tool, the seconds of its runs, over one way for all of them: a new one each time would take twice the processor. */
async function measureAll(roundTripMilliseconds: number): Promise<ReadonlyMap<Tool, readonly number[]>> {
  const seconds = new Map<Tool, number[]>(tools.map((tool) => [tool, []]));
  const link = await openSlowLink({ host: address, port, roundTripMilliseconds });
  const reachedBy = roundTripMilliseconds === 0 ? port : link.port;
  try {
    for (let round = 0; round < rounds; round += 1) {
      for (const [tool, taken] of seconds) taken.push(await measure(tool, reachedBy));
    }
  } finally {
    await link.close();
  }
  return seconds;
}

let isMet = true;
try {
  const trips = [
    { milliseconds: 0, title: 'Four providers on a fresh API server of this machine', ratio: 0.35 },
    { milliseconds: 25, title: 'The same over a way of 25 ms', ratio: 0.15 },
  ];
  for (const { milliseconds, title, ratio } of trips) {
    const seconds = await measureAll(milliseconds);
    const contenders: Contender[] = [...seconds].map(([{ name }, taken]) => ({ name, seconds: taken }));
    const goals = [
      { of: 'Petra', against: 'clusterctl init', ratio },
      { of: 'Petra', against: 'kubectl apply --server-side', ratio: 0.5 },
      { of: 'Petra with its manifests', against: 'clusterctl init', ratio },
    ];
    isMet = printComparison(title, contenders, goals) && isMet;
  }
} finally {
  await processes.stopAll();
  await rm(folder, { recursive: true, force: true });
}
process.exitCode = isMet ? 0 : 1;
