// What a simulated cluster says of the permissions of others, by its roles and bindings. Nothing else in the simulation
// asks for permission: every request comes from an administrator.
// Not simulated: permissions within a namespace alone, on single objects, and on paths that are no resources.

import { listAt, recordAt, textAt, textsAt } from '../../core/json-fields.ts';
import type { KubernetesObject } from '../../core/ports.ts';
import type { ObjectStore } from './object-store.ts';

const apiVersion = 'rbac.authorization.k8s.io/v1';

interface Access {
  readonly verb: string;
  readonly group: string;
  readonly resource: string;
}

/** The status of a SubjectAccessReview, for its `spec`. */
export function subjectAccess(store: ObjectStore, spec: unknown): Readonly<Record<string, unknown>> {
  const [, namespace, name] =
    /^system:serviceaccount:([^:]+):([^:]+)$/.exec(textAt(spec, 'user') ?? '') ?? [];
  const wanted = recordAt(spec, 'resourceAttributes');
  const access = {
    verb: textAt(wanted, 'verb') ?? '',
    group: textAt(wanted, 'group') ?? '',
    resource: textAt(wanted, 'resource') ?? '',
  };
  const isSubject = (subject: unknown) =>
    textAt(subject, 'kind') === 'ServiceAccount' &&
    textAt(subject, 'name') === name &&
    textAt(subject, 'namespace') === namespace;
  const allowing = store
    .list(apiVersion, 'ClusterRoleBinding')
    .filter((binding) => listAt(binding, 'subjects').some(isSubject))
    .find((binding) => {
      const role = store.get(apiVersion, 'ClusterRole', undefined, textAt(binding, 'roleRef', 'name') ?? '');
      return role !== undefined && rulesOf(store, role).some((rule) => permits(rule, access));
    });
  return allowing === undefined
    ? { allowed: false }
    : { allowed: true, reason: `RBAC: allowed by ClusterRoleBinding "${allowing.metadata.name}"` };
}

/** The rules of a role; of one that gathers others, theirs. */
function rulesOf(store: ObjectStore, role: KubernetesObject): readonly unknown[] {
  const selectors = listAt(role, 'aggregationRule', 'clusterRoleSelectors').map((selector) =>
    Object.entries(textsAt(selector, 'matchLabels')),
  );
  if (selectors.length === 0) return listAt(role, 'rules');
  return store
    .list(apiVersion, 'ClusterRole')
    .filter(({ metadata }) =>
      selectors.some((labels) => labels.every(([key, value]) => metadata.labels?.[key] === value)),
    )
    .flatMap((gathered) => listAt(gathered, 'rules'));
}

function permits(rule: unknown, { verb, group, resource }: Access): boolean {
  const has = (field: string, value: string) =>
    listAt(rule, field).some((allowed) => allowed === '*' || allowed === value);
  return has('verbs', verb) && has('apiGroups', group) && has('resources', resource);
}
