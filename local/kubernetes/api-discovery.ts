// What `kubectl api-resources` reads: groups, versions and resources, in the old and in the aggregated form.

import { subjectAccess } from './access-review.ts';
import { isObject, type JsonObject } from './api-json.ts';
import { joinApiVersion, type ResourceType, type ServedVersion } from './api-resources.ts';
import { isAdministrator } from './api-users.ts';
import type { ObjectStore } from './object-store.ts';

/** Resources without storage: a POST is answered at once. */
export const reviewResources = [
  {
    group: 'authorization.k8s.io',
    version: 'v1',
    plural: 'selfsubjectaccessreviews',
    kind: 'SelfSubjectAccessReview',
  },
  {
    group: 'authorization.k8s.io',
    version: 'v1',
    plural: 'selfsubjectrulesreviews',
    kind: 'SelfSubjectRulesReview',
  },
  {
    group: 'authorization.k8s.io',
    version: 'v1',
    plural: 'subjectaccessreviews',
    kind: 'SubjectAccessReview',
  },
  { group: 'authentication.k8s.io', version: 'v1', plural: 'selfsubjectreviews', kind: 'SelfSubjectReview' },
] as const;

export const aggregatedMediaType = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';

interface Served {
  readonly plural: string;
  readonly singular: string;
  readonly kind: string;
  readonly namespaced: boolean;
  readonly verbs: readonly string[];
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly subresources: readonly string[];
}

/** group → version → resources, preferred versions first. */
type Catalogue = ReadonlyMap<string, ReadonlyMap<string, readonly Served[]>>;

function catalogueOf(types: readonly ResourceType[]): Catalogue {
  const catalogue = new Map<string, Map<string, Served[]>>();
  const add = (group: string, version: string, served: Served) => {
    const versions = catalogue.get(group) ?? new Map<string, Served[]>();
    versions.set(version, [...(versions.get(version) ?? []), served]);
    catalogue.set(group, versions);
  };
  for (const type of types)
    for (const version of type.versions) add(type.group, version.name, served(type, version));
  for (const { group, version, plural, kind } of reviewResources) {
    add(group, version, {
      plural,
      singular: kind.toLowerCase(),
      kind,
      namespaced: false,
      verbs: ['create'],
      shortNames: [],
      categories: [],
      subresources: [],
    });
  }
  return catalogue;
}

function served(type: ResourceType, version: ServedVersion): Served {
  const { plural, singular, kind, namespaced, verbs, shortNames, categories } = type;
  const subresources = version.subresources.filter((name) => name === 'status');
  return { plural, singular, kind, namespaced, verbs, shortNames, categories, subresources };
}

const subresourceVerbs = ['get', 'patch', 'update'];

/** `/apis` in the old form. */
export function groupList(types: readonly ResourceType[]): JsonObject {
  const groups = [...catalogueOf(types)].filter(([group]) => group !== '');
  return {
    kind: 'APIGroupList',
    apiVersion: 'v1',
    groups: groups.map(([group, versions]) => groupOf(group, [...versions.keys()])),
  };
}

/** `/apis/<group>`; undefined for a group that is not served. */
export function groupDocument(types: readonly ResourceType[], group: string): JsonObject | undefined {
  const versions = catalogueOf(types).get(group);
  return versions && { kind: 'APIGroup', apiVersion: 'v1', ...groupOf(group, [...versions.keys()]) };
}

function groupOf(name: string, versions: readonly string[]): JsonObject {
  const entries = versions.map((version) => ({ groupVersion: joinApiVersion(name, version), version }));
  return { name, versions: entries, preferredVersion: entries[0] };
}

/** `/api/v1` or `/apis/<group>/<version>`; undefined for what is not served. */
export function resourceList(
  types: readonly ResourceType[],
  group: string,
  version: string,
): JsonObject | undefined {
  const resources = catalogueOf(types).get(group)?.get(version);
  if (!resources) return undefined;
  return {
    kind: 'APIResourceList',
    apiVersion: 'v1',
    groupVersion: joinApiVersion(group, version),
    resources: resources.flatMap(({ plural, singular, kind, namespaced, subresources, ...more }) => [
      {
        name: plural,
        singularName: singular,
        namespaced,
        kind,
        verbs: more.verbs,
        ...(more.shortNames.length > 0 ? { shortNames: more.shortNames } : {}),
        ...(more.categories.length > 0 ? { categories: more.categories } : {}),
      },
      ...subresources.map((subresource) => ({
        name: `${plural}/${subresource}`,
        singularName: '',
        namespaced,
        kind,
        verbs: subresourceVerbs,
      })),
    ]),
  };
}

/** `/api` (`core`) or `/apis` in the aggregated form, which spares kubectl a request for each version. */
export function aggregated(types: readonly ResourceType[], core: boolean): JsonObject {
  const groups = [...catalogueOf(types)].filter(([group]) => (group === '') === core);
  return {
    kind: 'APIGroupDiscoveryList',
    apiVersion: 'apidiscovery.k8s.io/v2',
    metadata: {},
    items: groups.map(([group, versions]) => ({
      metadata: group ? { name: group, creationTimestamp: null } : { creationTimestamp: null },
      versions: [...versions].map(([version, resources]) => ({
        version,
        freshness: 'Current',
        resources: resources.map((resource) => aggregatedResource(group, version, resource)),
      })),
    })),
  };
}

function aggregatedResource(group: string, version: string, resource: Served): JsonObject {
  const responseKind = { group, version, kind: resource.kind };
  return {
    resource: resource.plural,
    responseKind,
    scope: resource.namespaced ? 'Namespaced' : 'Cluster',
    singularResource: resource.singular,
    verbs: resource.verbs,
    ...(resource.shortNames.length > 0 ? { shortNames: resource.shortNames } : {}),
    ...(resource.categories.length > 0 ? { categories: resource.categories } : {}),
    ...(resource.subresources.length > 0
      ? {
          subresources: resource.subresources.map((subresource) => ({
            subresource,
            responseKind,
            verbs: subresourceVerbs,
          })),
        }
      : {}),
  };
}

/** The answer to a review: of one's own rights, an administrator has all of them and others have none. */
export function reviewed(store: ObjectStore, kind: string, body: unknown, username: string): JsonObject {
  const review = isObject(body) ? body : {};
  if (kind === 'SubjectAccessReview') {
    return { metadata: {}, ...review, status: subjectAccess(store, review.spec) };
  }
  const allowed = isAdministrator(username);
  const user = { username, groups: [...(allowed ? ['system:masters'] : []), 'system:authenticated'] };
  const rules = {
    resourceRules: allowed ? [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }] : [],
    nonResourceRules: allowed ? [{ verbs: ['*'], nonResourceURLs: ['*'] }] : [],
    incomplete: false,
  };
  const status =
    kind === 'SelfSubjectReview'
      ? { userInfo: user }
      : kind === 'SelfSubjectRulesReview'
        ? rules
        : {
            allowed,
            reason: `the certificate admits to ${allowed ? 'everything' : 'nothing'} in this cluster`,
          };
  return { metadata: {}, ...review, status };
}
