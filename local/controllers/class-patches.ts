// The patches of a ClusterClass, applied to its templates.

import { parse } from 'yaml';
import { messageOf } from '../../core/errors.ts';
import { at, isTrueAt, listAt, recordAt, textAt } from '../../core/json-fields.ts';
import type { KubernetesObject } from '../../core/ports.ts';
import type { Variable } from './class-variables.ts';
import { renderTemplate } from './go-template.ts';
import { type JsonPatch, patchJson } from './json-patch.ts';

/** Why a topology cannot be computed, in the words of the condition TopologyReconciled. */
export class TopologyError extends Error {
  override readonly name = 'TopologyError';
}

export type FindTemplate = (reference: unknown) => KubernetesObject | undefined;

/** What patches are rendered with. */
export interface PatchContext {
  readonly cluster: KubernetesObject;
  readonly clusterClass: KubernetesObject;
  readonly variables: readonly Variable[];
  readonly findTemplate: FindTemplate;
}

/** What a template is for, as `matchResources` of a patch tells templates apart. */
interface Role {
  readonly infrastructureCluster?: true;
  readonly controlPlane?: true;
  readonly machineDeploymentClass?: string;
}

/** A template of the class with every patch applied that selects it. @throws TopologyError */
export function patchTemplate(
  context: PatchContext,
  reference: unknown,
  role: Role,
  builtins: Readonly<Record<string, unknown>>,
): KubernetesObject {
  const template = context.findTemplate(reference);
  if (!template) {
    const [kind, name] = [textAt(reference, 'kind'), textAt(reference, 'name')];
    throw new TopologyError(`failed to get ${kind} "${name}": the template does not exist`);
  }
  const data = {
    ...valuesOf(context.variables),
    builtin: { ...clusterBuiltins(context.cluster), ...builtins },
  };
  let result = template;
  for (const patch of listAt(context.clusterClass, 'spec', 'patches')) {
    const name = textAt(patch, 'name');
    try {
      if (!isEnabled(patch, data)) continue;
      for (const definition of listAt(patch, 'definitions')) {
        if (selects(at(definition, 'selector'), template, role)) {
          result = patchJson(
            result,
            listAt(definition, 'jsonPatches').map((entry) => resolve(entry, data)),
          );
        }
      }
    } catch (error) {
      const why = messageOf(error);
      throw new TopologyError(
        `failed to apply patches: failed to generate patches for patch "${name}": ${template.kind} "${template.metadata.name}": ${why}`,
      );
    }
  }
  return result;
}

function isEnabled(patch: unknown, data: unknown): boolean {
  const condition = textAt(patch, 'enabledIf');
  return condition === undefined || renderTemplate(condition, data) === 'true';
}

function selects(selector: unknown, template: KubernetesObject, role: Role): boolean {
  if (at(selector, 'apiVersion') !== template.apiVersion || at(selector, 'kind') !== template.kind)
    return false;
  const resources = recordAt(selector, 'matchResources');
  if (role.infrastructureCluster) return isTrueAt(resources, 'infrastructureCluster');
  if (role.controlPlane) return isTrueAt(resources, 'controlPlane');
  return listAt(resources, 'machineDeploymentClass', 'names').some((name) =>
    typeof name === 'string' && name.endsWith('*')
      ? role.machineDeploymentClass?.startsWith(name.slice(0, -1))
      : name === role.machineDeploymentClass,
  );
}

function resolve(entry: unknown, data: unknown): JsonPatch {
  const op = textAt(entry, 'op') ?? '';
  const path = textAt(entry, 'path') ?? '';
  if (op === 'remove') return { op, path };
  const variable = textAt(entry, 'valueFrom', 'variable');
  const template = textAt(entry, 'valueFrom', 'template');
  if (template !== undefined) return { op, path, value: parse(renderTemplate(template, data)) };
  if (variable === undefined) return { op, path, value: at(entry, 'value') };
  const value = at(data, ...variable.split(/[.[\]]/).filter((step) => step !== ''));
  if (value === undefined) throw new TopologyError(`variable "${variable}" has no value`);
  return { op, path, value };
}

function valuesOf(variables: readonly Variable[]): Readonly<Record<string, unknown>> {
  return Object.fromEntries(variables.map(({ name, value }) => [name, value]));
}

function clusterBuiltins(cluster: KubernetesObject) {
  const network = recordAt(cluster, 'spec', 'clusterNetwork');
  return {
    cluster: {
      name: cluster.metadata.name,
      namespace: cluster.metadata.namespace,
      uid: cluster.metadata.uid,
      topology: {
        version: textAt(cluster, 'spec', 'topology', 'version'),
        class: textAt(cluster, 'spec', 'topology', 'class'),
      },
      network: {
        pods: listAt(network, 'pods', 'cidrBlocks'),
        services: listAt(network, 'services', 'cidrBlocks'),
        serviceDomain: textAt(network, 'serviceDomain'),
        ipFamily: 'IPv4',
      },
    },
  };
}
