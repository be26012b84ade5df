// Rendered HelmCharts under k3s's own helm-controller: each must become the Job that installs it, with what it says.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { open, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { parse, parseAllDocuments } from 'yaml';
import { canonicalJson } from '../../core/canonical-json.ts';
import { manifestsFolder } from '../../core/capi/addon-charts.ts';
import { messageOf } from '../../core/errors.ts';
import { at, isObject, isTrueAt, listAt, textAt } from '../../core/json-fields.ts';
import type { Kubernetes, KubernetesObject } from '../../core/ports.ts';
import { isConditionTrue } from '../../local/controllers/conditions.ts';
import { ApiRequests } from './api-requests.ts';
import { eventually } from './trial-namespace.ts';

const helmApi = 'helm.cattle.io/v1';
const definitions = { apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition' } as const;

/** Where k3s looks for charts, and where Petra puts them. */
const chartNamespace = 'kube-system';
const limitSeconds = 15;

/** What k3s would hand its helm-controller from a node's files, each once. */
export function chartsIn(files: Iterable<{ readonly path: string; readonly content: string }>) {
  const charts = new Map<string, KubernetesObject>();
  for (const { path: file, content } of files) {
    if (!file.startsWith(`${manifestsFolder}/`)) continue;
    for (const document of parseAllDocuments(content)) {
      const object: KubernetesObject = document.toJS();
      if (object.apiVersion === helmApi) charts.set(canonicalJson(object), object);
    }
  }
  return [...charts.values()];
}

export interface HelmTrial {
  readonly helmController: string;
  readonly kubernetes: Kubernetes;
  readonly kubeconfig: string;
  readonly folder: string;
}

/** Gives the charts to the real controller, and says what is wrong with what it makes of them. Removes what it made. */
export async function chartProblems(
  trial: HelmTrial,
  charts: readonly KubernetesObject[],
): Promise<readonly string[]> {
  const controller = await startController(trial);
  try {
    await eventually('the helm-controller serves HelmCharts', () => areServed(trial.kubernetes));
    const problems = [];
    // One after the other: two clusters' charts may have one name.
    for (const chart of charts) problems.push(...(await problemsOf(trial.kubernetes, chart)));
    return problems;
  } finally {
    controller.kill('SIGKILL');
    await rm(credentialsFile(trial), { force: true });
    await removeAll(trial, charts);
  }
}

function credentialsFile({ folder }: HelmTrial): string {
  return path.join(folder, 'helm-controller.kubeconfig');
}

async function startController(trial: HelmTrial) {
  const { helmController, kubeconfig, folder } = trial;
  const file = credentialsFile(trial);
  await writeFile(file, kubeconfig, { mode: 0o600 });
  const log = await open(path.join(folder, 'helm-controller.log'), 'w');
  const controller = spawn(helmController, ['--kubeconfig', file, '--namespace', chartNamespace], {
    env: {},
    stdio: ['ignore', log.fd, log.fd],
  });
  await once(controller, 'spawn');
  await log.close();
  return controller;
}

async function areServed(kubernetes: Kubernetes): Promise<boolean> {
  const name = 'helmcharts.helm.cattle.io';
  return isConditionTrue(await kubernetes.read({ ...definitions, name }), 'Established');
}

async function problemsOf(kubernetes: Kubernetes, chart: KubernetesObject): Promise<readonly string[]> {
  const { name } = chart.metadata;
  let problems: readonly string[] = [];
  try {
    await kubernetes.apply(chart);
    await eventually(
      `HelmChart ${name} has its Job`,
      async () => {
        problems = await jobProblems(kubernetes, chart);
        return problems.length === 0;
      },
      limitSeconds,
    );
    return [];
  } catch (error) {
    return [messageOf(error), ...problems].map((problem) => `HelmChart ${name}: ${problem}`);
  }
}

/** What differs between a chart and the Job that would install it, with the values that it mounts. */
async function jobProblems(kubernetes: Kubernetes, chart: KubernetesObject): Promise<readonly string[]> {
  const { name } = chart.metadata;
  const inNamespace = { namespace: chartNamespace };
  const [job, values] = await Promise.all([
    kubernetes.read({ apiVersion: 'batch/v1', kind: 'Job', name: `helm-install-${name}`, ...inNamespace }),
    kubernetes.read({ apiVersion: 'v1', kind: 'Secret', name: `chart-values-${name}`, ...inNamespace }),
  ]);
  if (!job) return ['no Job'];
  const pod = at(job, 'spec', 'template', 'spec');
  const container = listAt(pod, 'containers')[0];
  const environment = Object.fromEntries(
    listAt(container, 'env').map((one) => [textAt(one, 'name') ?? '', at(one, 'value') ?? '']),
  );
  const spec = (field: string) => textAt(chart, 'spec', field);
  const version = spec('version') ?? 'no version';
  const wanted = {
    args: [
      'install',
      ...['--namespace', spec('targetNamespace') ?? 'no namespace'],
      ...(isTrueAt(chart, 'spec', 'createNamespace') ? ['--create-namespace'] : []),
      ...['--version', version],
    ],
    chart: `${name}/${spec('chart')}`,
    repo: spec('repo'),
    version,
    // Before there is a network plugin, a Job can only run on the host's network.
    hostNetwork: isTrueAt(chart, 'spec', 'bootstrap'),
    values: spec('valuesContent') ?? '',
  };
  const found = {
    args: listAt(container, 'args'),
    chart: environment.CHART,
    repo: environment.REPO,
    version: environment.VERSION,
    hostNetwork: isTrueAt(pod, 'hostNetwork'),
    values: decoded(textAt(values, 'data', 'HelmChartValuesContent')),
  };
  return [
    ...(canonicalJson(found) === canonicalJson(wanted)
      ? []
      : [`wanted ${canonicalJson(wanted)}, found ${canonicalJson(found)}`]),
    ...(found.values === '' || isObject(parse(found.values)) ? [] : ['its values are no mapping']),
  ];
}

function decoded(base64: string | undefined): string {
  return Buffer.from(base64 ?? '', 'base64').toString('utf8');
}

/** The controller is stopped by now: it would run a Job to uninstall each chart, and wait for its end. */
async function removeAll({ kubernetes, kubeconfig }: HelmTrial, charts: readonly KubernetesObject[]) {
  for (const name of new Set(charts.map(({ metadata }) => metadata.name))) {
    const own = { namespace: chartNamespace };
    await ApiRequests.of(kubeconfig, 'trial').merge(
      `/apis/${helmApi}/namespaces/${chartNamespace}/helmcharts/${name}`,
      {
        metadata: { finalizers: null },
      },
    );
    await kubernetes.remove({ apiVersion: helmApi, kind: 'HelmChart', name, ...own });
    await kubernetes.remove({ apiVersion: 'batch/v1', kind: 'Job', name: `helm-install-${name}`, ...own });
    await kubernetes.remove({ apiVersion: 'v1', kind: 'Secret', name: `chart-values-${name}`, ...own });
    await kubernetes.remove({ apiVersion: 'v1', kind: 'ConfigMap', name: `chart-content-${name}`, ...own });
    await kubernetes.remove({ apiVersion: 'v1', kind: 'ServiceAccount', name: `helm-${name}`, ...own });
    await kubernetes.remove({
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRoleBinding',
      name: `helm-${chartNamespace}-${name}`,
    });
  }
  for (const { metadata } of await kubernetes.list(definitions)) {
    if (metadata.name.endsWith('.helm.cattle.io'))
      await kubernetes.remove({ ...definitions, name: metadata.name });
  }
}
