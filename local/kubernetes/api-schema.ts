import type { KubernetesObject } from '../../core/ports.ts';
import { definitionProblems } from './api-definitions.ts';
import type { ResourceType } from './api-resources.ts';
import type { StatusCause } from './api-status.ts';

/** A custom resource as its schema wants it. */
export function conformToSchema(_type: ResourceType, object: KubernetesObject): KubernetesObject {
  return object;
}

/** What a real server refuses in the values of an object. */
export function valueProblems(
  type: ResourceType,
  object: KubernetesObject,
  _before?: KubernetesObject,
): readonly StatusCause[] {
  return type.kind === 'CustomResourceDefinition' && !type.custom ? definitionProblems(object) : [];
}
