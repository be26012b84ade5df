// A Machine together with its bootstrap config and its instance object, as a control plane or a MachineSet makes them.

import { canonicalJson } from '../../core/canonical-json.ts';
import { recordAt, textAt, textsAt } from '../../core/json-fields.ts';
import type { KubernetesObject } from '../../core/ports.ts';
import type { ObjectStore } from '../kubernetes/object-store.ts';
import { clonedFrom, finalizers, kinds, labels, ownerReference, referenceTo } from './kinds.ts';
import { suffix } from './naming.ts';
import { ensureObject } from './writes.ts';

export interface MachineBlueprint {
  /** The control plane or MachineSet. */
  readonly owner: KubernetesObject;
  readonly cluster: KubernetesObject;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly version: string;
  /** An AWSMachineTemplate. */
  readonly machineTemplate: KubernetesObject;
  /** The KThreesConfigTemplate that the configuration was taken from, if there is one. */
  readonly configTemplate?: KubernetesObject;
  /** What the KThreesConfig says. */
  readonly bootstrap: Readonly<Record<string, unknown>>;
  readonly failureDomain?: string;
  readonly timeouts?: Readonly<Record<string, unknown>>;
  /**
   * `alike`: the three objects have one name, as a MachineSet names them. `apart`: each has its own, that of the
   * instance after its template, as the k3s control-plane provider names them.
   */
  readonly naming: 'alike' | 'apart';
}

/** Makes one more Machine. A call that was cut short is completed by the next one, not repeated. */
export async function cloneMachine(
  store: ObjectStore,
  blueprint: MachineBlueprint,
): Promise<KubernetesObject> {
  const { owner, cluster, version, machineTemplate, configTemplate } = blueprint;
  const { name, number } = freeName(store, owner);
  const isApart = blueprint.naming === 'apart';
  const named = (prefix: string, what: string) =>
    isApart ? `${prefix}-${suffix(`${owner.metadata.uid}/${number}/${what}`)}` : name;
  const namespace = owner.metadata.namespace ?? '';
  const metadata = {
    name,
    namespace,
    labels: { ...blueprint.labels, [labels.clusterName]: cluster.metadata.name },
    ownerReferences: [ownerReference(owner)],
  };
  const makeConfig = () =>
    ensureObject(store, {
      ...kinds.k3sConfig,
      metadata: {
        ...metadata,
        name: named(owner.metadata.name, 'bootstrap'),
        ...(configTemplate ? { annotations: clonedFrom(configTemplate) } : {}),
      },
      spec: { ...blueprint.bootstrap, version },
    });
  const early = isApart ? undefined : await makeConfig();
  const awsMachine = await ensureObject(store, {
    apiVersion: machineTemplate.apiVersion,
    kind: machineTemplate.kind.replace(/Template$/, ''),
    metadata: {
      ...metadata,
      name: named(machineTemplate.metadata.name, 'instance'),
      annotations: clonedFrom(machineTemplate),
    },
    spec: recordAt(machineTemplate, 'spec', 'template', 'spec'),
  });
  const config = early ?? (await makeConfig());
  return ensureObject(store, {
    ...kinds.machine,
    metadata: {
      ...metadata,
      ...(blueprint.annotations ? { annotations: blueprint.annotations } : {}),
      ownerReferences: [ownerReference(owner, true)],
      ...(isApart ? {} : { finalizers: [finalizers.machine] }),
    },
    spec: {
      clusterName: cluster.metadata.name,
      version,
      bootstrap: { configRef: referenceTo(config) },
      infrastructureRef: referenceTo(awsMachine),
      ...(blueprint.failureDomain === undefined ? {} : { failureDomain: blueprint.failureDomain }),
      ...blueprint.timeouts,
    },
  });
}

/** Whether the Machine was made from another version, template or configuration than this. */
export function isOutdated(
  store: ObjectStore,
  machine: KubernetesObject,
  wanted: { readonly version: string; readonly template: string; readonly configuration: string },
): boolean {
  const { apiVersion, kind } = kinds.awsMachine;
  const name = textAt(machine, 'spec', 'infrastructureRef', 'name') ?? '';
  const awsMachine = store.get(apiVersion, kind, machine.metadata.namespace, name);
  const template = awsMachine?.metadata.annotations?.['cluster.x-k8s.io/cloned-from-name'];
  return (
    textAt(machine, 'spec', 'version') !== wanted.version ||
    (template !== undefined && template !== wanted.template) ||
    textAt(machine, 'metadata', 'annotations', configurationAnnotation) !== wanted.configuration
  );
}

/** By this annotation a server is known to have been made from the present configuration. */
export const configurationAnnotation = 'local.petra.sh/configuration';

export function configurationHash(spec: unknown): string {
  return suffix(canonicalJson(spec ?? {}), 10);
}

/** The timeouts of Machines that an object hands down. */
export function machineTimeouts(spec: unknown): Readonly<Record<string, string>> {
  const all = textsAt(spec);
  return Object.fromEntries(Object.entries(all).filter(([name]) => /^node\w+Timeout$/.test(name)));
}

/** Oldest first; servers and agents alike. */
export function byAge(machines: readonly KubernetesObject[]): readonly KubernetesObject[] {
  const created = ({ metadata }: KubernetesObject) => String(metadata.creationTimestamp ?? '');
  return machines.toSorted((a, b) => created(a).localeCompare(created(b)));
}

function freeName(
  store: ObjectStore,
  owner: KubernetesObject,
): { readonly name: string; readonly number: number } {
  const { apiVersion, kind } = kinds.machine;
  for (let i = 0; ; i++) {
    const name = `${owner.metadata.name}-${suffix(`${owner.metadata.uid}/${i}`)}`;
    if (!store.get(apiVersion, kind, owner.metadata.namespace, name)) return { name, number: i };
  }
}
