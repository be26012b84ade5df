// The k3s bootstrap provider: what a machine would get as user data, and what follows from it when it boots.
// Simulated: the order (a first server before all others), the Secret with its name, the HelmCharts that k3s would
// deploy, whether a network plug-in and a cloud controller manager will run. Not simulated: cloud-init.

import { gunzipSync } from 'node:zlib';
import { parseAllDocuments } from 'yaml';
import { at, isTrueAt, listAt, recordAt, textAt } from '../../core/json-fields.ts';
import type { KubernetesObject } from '../../core/ports.ts';
import { condition, isConditionTrue, summary } from './conditions.ts';
import type { Controller } from './controller.ts';
import type { Environment } from './environment.ts';
import { clusterSecretType, isDeleting, kinds, labels, ownerReference } from './kinds.ts';
import { clusterOf, isControlPlaneMachine, ownerOf, wakesMembers } from './lookups.ts';
import { managers } from './managers.ts';
import { ensureObject, setConditions } from './writes.ts';

/** What k3s on a server would do, as far as it decides whether Nodes become Ready. */
export interface K3sSetup {
  /** HelmChart objects that k3s finds in its manifests folder. */
  readonly charts: readonly KubernetesObject[];
  /** Whether k3s brings its own network plug-in, flannel. */
  readonly hasFlannel: boolean;
  /** Whether Nodes wait for a cloud controller manager from outside. */
  readonly needsCloudController: boolean;
  /** Parts of k3s that are switched off, such as `traefik`. */
  readonly disabled: readonly string[];
}

/** Reads a KThreesConfigSpec: of a KThreesConfig, or of a control plane's `kthreesConfigSpec`. */
export function readK3sSetup(spec: unknown): K3sSetup {
  const documents = listAt(spec, 'files').flatMap((file) => {
    const path = textAt(file, 'path') ?? '';
    return path.startsWith('/etc/rancher/k3s/config.yaml') || path.startsWith(manifestsFolder)
      ? parseAllDocuments(contentOf(file)).map((document) => ({ path, value: document.toJS() as unknown }))
      : [];
  });
  const settings = documents.filter(({ path }) => !path.startsWith(manifestsFolder));
  const setting = (name: string) =>
    settings.map(({ value }) => at(value, name)).findLast((value) => value !== undefined);
  const server = recordAt(spec, 'serverConfig');
  return {
    charts: documents.map(({ value }) => value).filter(isHelmChart),
    hasFlannel: setting('flannel-backend') !== 'none',
    // `external` is the provider's default; only an empty name means that Nodes wait for nobody.
    needsCloudController: at(server, 'cloudProviderName') !== '',
    disabled: listAt(server, 'disableComponents').filter((name) => typeof name === 'string'),
  };
}

const manifestsFolder = '/var/lib/rancher/k3s/server/manifests/';

function isHelmChart(value: unknown): value is KubernetesObject {
  return textAt(value, 'kind') === 'HelmChart' && textAt(value, 'metadata', 'name') !== undefined;
}

function contentOf(file: unknown): string {
  const content = textAt(file, 'content') ?? '';
  const encoding = textAt(file, 'encoding') ?? '';
  // cloud-init renders plain files as Jinja templates, so what looks like one is wrapped.
  if (encoding === '') return content.replaceAll(/\{%\s*(end)?raw\s*%\}\n?/g, '');
  const bytes = encoding.includes('base64') ? Buffer.from(content, 'base64') : Buffer.from(content, 'latin1');
  return (encoding.startsWith('gzip') ? gunzipSync(bytes) : bytes).toString('utf8');
}

/** Gives each KThreesConfig its bootstrap data, once the machine may be made. */
export function k3sConfigController({ store }: Environment): Controller {
  return {
    name: 'kthreesconfig',
    kind: kinds.k3sConfig,
    manager: managers.bootstrap,
    wakes: [
      { kind: kinds.machine, wakes: bootstrapConfigOf },
      wakesMembers(store, kinds.cluster, kinds.k3sConfig),
    ],
    async reconcile(config) {
      const cluster = clusterOf(store, config);
      const machine = ownerOf(store, config, kinds.machine);
      if (!cluster || !machine || isDeleting(config)) return undefined;
      const waitingFor = reasonToWait(cluster, machine);
      if (waitingFor !== undefined && !isTrueAt(config, 'status', 'ready')) {
        const conditions = [condition('DataSecretAvailable', false, { reason: waitingFor })];
        await setConditions(store, config, [...conditions, summary(conditions)], {
          observedGeneration: config.metadata.generation,
        });
        return undefined;
      }
      // A first server also looks for the certificates; those that join do without.
      const certificates =
        isControlPlaneMachine(machine) && !isConditionTrue(cluster, 'ControlPlaneInitialized')
          ? [condition('CertificatesAvailable', true)]
          : [];
      const { name, namespace = '' } = config.metadata;
      await ensureObject(store, {
        ...kinds.secret,
        metadata: {
          name,
          namespace,
          labels: { [labels.clusterName]: cluster.metadata.name },
          ownerReferences: [ownerReference(config, true)],
        },
        type: clusterSecretType,
        data: {
          value: Buffer.from(
            '## template: jinja\n#cloud-config\n# simulated: no machine reads this\n',
          ).toString('base64'),
        },
      });
      const conditions = [condition('DataSecretAvailable', true), ...certificates];
      await setConditions(store, config, [...conditions, summary(conditions)], {
        ready: true,
        dataSecretName: name,
        observedGeneration: config.metadata.generation,
      });
      return undefined;
    },
  };
}

function reasonToWait(cluster: KubernetesObject, machine: KubernetesObject): string | undefined {
  if (!isTrueAt(cluster, 'status', 'infrastructureReady')) return 'WaitingForClusterInfrastructure';
  const isInitialized = isConditionTrue(cluster, 'ControlPlaneInitialized');
  // The control plane makes no second server before the first one answers, so any server may start now.
  return isInitialized || isControlPlaneMachine(machine) ? undefined : 'WaitingForControlPlaneAvailable';
}

function bootstrapConfigOf(machine: KubernetesObject) {
  const name = textAt(machine, 'spec', 'bootstrap', 'configRef', 'name');
  return name === undefined ? [] : [{ name, namespace: machine.metadata.namespace }];
}
