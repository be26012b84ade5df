// Cluster API's ClusterClass controller: the class becomes the owner of its templates, and says that it was looked at.
// Not simulated: variables of runtime extensions, references to versions that are out of date.

import { at, listAt, textAt } from '../../core/json-fields.ts';
import type { KubernetesObject } from '../../core/ports.ts';
import type { ObjectStore } from '../kubernetes/object-store.ts';
import { condition } from './conditions.ts';
import type { Controller } from './controller.ts';
import { isDeleting, kinds, ownerReference } from './kinds.ts';
import { managers } from './managers.ts';
import { addMetadata, setConditions } from './writes.ts';

/** Looks at ClusterClasses. */
export function clusterClassController({ store }: { readonly store: ObjectStore }): Controller {
  return {
    name: 'clusterclass',
    kind: kinds.clusterClass,
    manager: managers.core,
    async reconcile(clusterClass) {
      if (isDeleting(clusterClass)) return undefined;
      for (const reference of templatesOf(clusterClass)) {
        const template = store.get(
          textAt(reference, 'apiVersion') ?? '',
          textAt(reference, 'kind') ?? '',
          textAt(reference, 'namespace'),
          textAt(reference, 'name') ?? '',
        );
        // As upstream: an error, so that it is tried again, and the generation stays unobserved.
        if (!template) throw new Error(`Could not find external object ${textAt(reference, 'name')}`);
        await addMetadata(store, template, { ownerReferences: [ownerReference(clusterClass)] });
      }
      await setConditions(
        store,
        clusterClass,
        [condition('RefVersionsUpToDate', true), condition('VariablesReconciled', true)],
        { observedGeneration: clusterClass.metadata.generation },
      );
      return undefined;
    },
  };
}

function templatesOf(clusterClass: KubernetesObject): readonly unknown[] {
  const { spec } = clusterClass;
  return [
    at(spec, 'infrastructure', 'ref'),
    at(spec, 'controlPlane', 'ref'),
    at(spec, 'controlPlane', 'machineInfrastructure', 'ref'),
    ...listAt(spec, 'workers', 'machineDeployments').flatMap((workers) => [
      at(workers, 'template', 'bootstrap', 'ref'),
      at(workers, 'template', 'infrastructure', 'ref'),
    ]),
  ].filter((reference) => reference !== undefined);
}
