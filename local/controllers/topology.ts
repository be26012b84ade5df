// What a Cluster with `spec.topology` becomes: its class's templates, patched with its variables, as objects.
// Pure. Simulated: inline patches, variables, overrides of worker variables, the names and labels of CAPI 1.9.
// Not simulated: external patches, MachinePools, MachineHealthChecks, naming strategies.

import { canonicalJson } from '../../core/canonical-json.ts';
import { at, listAt, numberAt, recordAt, textAt, textsAt } from '../../core/json-fields.ts';
import type { KubernetesObject } from '../../core/ports.ts';
import { type FindTemplate, type PatchContext, patchTemplate, TopologyError } from './class-patches.ts';
import { withDefaults } from './class-variables.ts';
import { clonedFrom, labels, referenceTo } from './kinds.ts';
import { suffix } from './naming.ts';

export interface WorkerTopology {
  readonly machineDeployment: KubernetesObject;
  readonly bootstrapTemplate: KubernetesObject;
  readonly machineTemplate: KubernetesObject;
}

export interface DesiredTopology {
  readonly infrastructureCluster: KubernetesObject;
  readonly controlPlane: KubernetesObject;
  readonly controlPlaneMachineTemplate: KubernetesObject;
  readonly workers: readonly WorkerTopology[];
}

/** Computes the objects of a Cluster. @throws TopologyError */
export function computeTopology(
  cluster: KubernetesObject,
  clusterClass: KubernetesObject,
  findTemplate: FindTemplate,
): DesiredTopology {
  const topology = recordAt(cluster, 'spec', 'topology');
  const variables = withDefaults(cluster, clusterClass);
  const context: PatchContext = { cluster, clusterClass, variables, findTemplate };
  const version = textAt(topology, 'version') ?? '';
  const replicas = numberAt(topology, 'controlPlane', 'replicas') ?? 1;
  const controlPlaneName = nameOf(cluster, 'controlPlaneRef', 'control-plane');
  const controlPlaneBuiltins = {
    controlPlane: { version, replicas, name: controlPlaneName },
  };

  const infrastructureTemplate = patchTemplate(
    context,
    at(clusterClass, 'spec', 'infrastructure', 'ref'),
    { infrastructureCluster: true },
    {},
  );
  const controlPlaneTemplate = patchTemplate(
    context,
    at(clusterClass, 'spec', 'controlPlane', 'ref'),
    { controlPlane: true },
    controlPlaneBuiltins,
  );
  const machineTemplate = rotated(
    context,
    patchTemplate(
      context,
      at(clusterClass, 'spec', 'controlPlane', 'machineInfrastructure', 'ref'),
      { controlPlane: true },
      controlPlaneBuiltins,
    ),
    cluster.metadata.name,
    {},
  );
  const controlPlane = fromTemplate(context, controlPlaneTemplate, controlPlaneName);
  const topologyMetadata = recordAt(topology, 'controlPlane', 'metadata');
  return {
    infrastructureCluster: fromTemplate(
      context,
      infrastructureTemplate,
      nameOf(cluster, 'infrastructureRef', 'infrastructure'),
    ),
    controlPlaneMachineTemplate: machineTemplate,
    controlPlane: {
      ...controlPlane,
      spec: {
        ...recordAt(controlPlane, 'spec'),
        replicas,
        version,
        machineTemplate: {
          ...recordAt(controlPlane, 'spec', 'machineTemplate'),
          metadata: {
            labels: { ...textsAt(topologyMetadata, 'labels'), ...ownedLabels(cluster) },
            ...annotationsOf(topologyMetadata),
          },
          infrastructureRef: referenceTo(machineTemplate),
          ...timeouts(at(clusterClass, 'spec', 'controlPlane'), at(topology, 'controlPlane')),
        },
      },
    },
    workers: listAt(topology, 'workers', 'machineDeployments').map((worker) =>
      computeWorker(context, worker),
    ),
  };
}

function computeWorker(context: PatchContext, worker: unknown): WorkerTopology {
  const { cluster, clusterClass } = context;
  const className = textAt(worker, 'class') ?? '';
  const topologyName = textAt(worker, 'name') ?? '';
  const workerClass = listAt(clusterClass, 'spec', 'workers', 'machineDeployments').find(
    (candidate) => textAt(candidate, 'class') === className,
  );
  if (!workerClass) {
    throw new TopologyError(
      `MachineDeployment class ${className} not found in ClusterClass ${clusterClass.metadata.name}`,
    );
  }
  const version = textAt(cluster, 'spec', 'topology', 'version') ?? '';
  const replicas = numberAt(worker, 'replicas') ?? 1;
  const prefix = `${cluster.metadata.name}-${topologyName}`;
  const name = `${prefix}-${suffix(`${cluster.metadata.uid}/${topologyName}`)}`;
  const own: PatchContext = {
    ...context,
    variables: [
      ...context.variables,
      ...listAt(worker, 'variables', 'overrides').map((variable) => ({
        name: textAt(variable, 'name') ?? '',
        value: at(variable, 'value'),
      })),
    ],
  };
  const role = { machineDeploymentClass: className };
  const builtins = { machineDeployment: { version, class: className, name, topologyName, replicas } };
  const extraLabels = { [labels.topologyDeploymentName]: topologyName };
  const template = (field: string) =>
    rotated(
      own,
      patchTemplate(own, at(workerClass, 'template', field, 'ref'), role, builtins),
      prefix,
      extraLabels,
    );
  const bootstrapTemplate = template('bootstrap');
  const machineTemplate = template('infrastructure');
  const selected = { ...ownedLabels(cluster), ...extraLabels };
  const metadata = [recordAt(workerClass, 'template', 'metadata'), recordAt(worker, 'metadata')];
  const ownLabels = Object.assign({}, ...metadata.map((part) => textsAt(part, 'labels')), selected);
  return {
    bootstrapTemplate,
    machineTemplate,
    machineDeployment: {
      apiVersion: 'cluster.x-k8s.io/v1beta1',
      kind: 'MachineDeployment',
      metadata: { name, ...inNamespaceOf(cluster), labels: ownLabels },
      spec: {
        clusterName: cluster.metadata.name,
        replicas,
        selector: { matchLabels: selected },
        ...strategy(workerClass, worker),
        template: {
          metadata: { labels: ownLabels },
          spec: {
            clusterName: cluster.metadata.name,
            version,
            bootstrap: { configRef: referenceTo(bootstrapTemplate) },
            infrastructureRef: referenceTo(machineTemplate),
            ...timeouts(workerClass, worker),
          },
        },
      },
    },
  };
}

/** An object made from a template: `AWSCluster` from `AWSClusterTemplate`. */
function fromTemplate({ cluster }: PatchContext, template: KubernetesObject, name: string): KubernetesObject {
  const metadata = recordAt(template, 'spec', 'template', 'metadata');
  return {
    apiVersion: template.apiVersion,
    kind: template.kind.replace(/Template$/, ''),
    metadata: {
      name,
      ...inNamespaceOf(cluster),
      labels: { ...textsAt(metadata, 'labels'), ...ownedLabels(cluster) },
      annotations: { ...textsAt(metadata, 'annotations'), ...clonedFrom(template) },
    },
    spec: recordAt(template, 'spec', 'template', 'spec'),
  };
}

/**
 * The cluster's own copy of a template. Its name follows from what is in it: templates are immutable, so a changed
 * one is a new one, and machines made from the old one are rolled.
 */
function rotated(
  { cluster }: PatchContext,
  template: KubernetesObject,
  prefix: string,
  extraLabels: Readonly<Record<string, string>>,
): KubernetesObject {
  const seed = `${cluster.metadata.uid}/${template.kind}/${prefix}/${canonicalJson(template.spec)}`;
  return {
    apiVersion: template.apiVersion,
    kind: template.kind,
    metadata: {
      name: `${prefix}-${suffix(seed)}`,
      ...inNamespaceOf(cluster),
      labels: { ...template.metadata.labels, ...ownedLabels(cluster), ...extraLabels },
      annotations: { ...template.metadata.annotations, ...clonedFrom(template) },
    },
    spec: template.spec,
  };
}

function nameOf(cluster: KubernetesObject, reference: string, seed: string): string {
  const present = textAt(cluster, 'spec', reference, 'name');
  return present ?? `${cluster.metadata.name}-${suffix(`${cluster.metadata.uid}/${seed}`)}`;
}

function ownedLabels(cluster: KubernetesObject): Readonly<Record<string, string>> {
  return { [labels.clusterName]: cluster.metadata.name, [labels.topologyOwned]: '' };
}

function inNamespaceOf({ metadata }: KubernetesObject): { readonly namespace?: string } {
  return metadata.namespace === undefined ? {} : { namespace: metadata.namespace };
}

function annotationsOf(metadata: unknown) {
  const annotations = textsAt(metadata, 'annotations');
  return Object.keys(annotations).length > 0 ? { annotations } : {};
}

function timeouts(...sources: readonly unknown[]) {
  const found: Record<string, string> = {};
  for (const name of ['nodeDrainTimeout', 'nodeVolumeDetachTimeout', 'nodeDeletionTimeout']) {
    for (const source of sources) {
      const value = textAt(source, name);
      if (value !== undefined) found[name] = value;
    }
  }
  return found;
}

function strategy(...sources: readonly unknown[]) {
  const found = sources.map((source) => at(source, 'strategy')).findLast((value) => value !== undefined);
  return found === undefined ? {} : { strategy: found };
}
