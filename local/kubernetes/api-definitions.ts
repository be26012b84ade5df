// CustomResourceDefinitions: the resource types they add, and the status a real server gives them.

import type { KubernetesObject } from '../../core/ports.ts';
import { at, isObject, listOr, objectOr, stringOr } from './api-json.ts';
import type { PrinterColumn, ResourceType, ServedVersion } from './api-resources.ts';
import { allVerbs } from './api-resources.ts';
import type { StatusCause } from './api-status.ts';
import { requiredValue } from './api-status.ts';

export const definitionKind = { apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition' };
/** Keeps a definition that is being deleted until its objects are gone. */
export const definitionFinalizer = 'customresourcecleanup.apiextensions.k8s.io';

const age: PrinterColumn = { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' };

/** The resource type that an Established definition serves; undefined for one that is not (yet) Established. */
export function definedResource(definition: KubernetesObject): ResourceType | undefined {
  if (!isEstablished(definition)) return undefined;
  const spec = objectOr(definition.spec);
  const names = objectOr(spec.names);
  const versions = listOr(spec.versions).filter(isObject);
  const served = versions.filter((version) => version.served === true).map(servedVersion);
  if (served.length === 0) return undefined;
  const storage = versions.find((version) => version.storage === true);
  const kind = stringOr(names.kind, '');
  return {
    group: stringOr(spec.group, ''),
    versions: served.toSorted((left, right) => compareVersions(left.name, right.name)),
    storageVersion: stringOr(storage?.name, served[0]?.name ?? ''),
    kind,
    plural: stringOr(names.plural, ''),
    singular: stringOr(names.singular, kind.toLowerCase()),
    shortNames: strings(names.shortNames),
    categories: strings(names.categories),
    namespaced: spec.scope !== 'Cluster',
    verbs: allVerbs,
    generation: true,
    custom: true,
  };
}

export function isEstablished(definition: KubernetesObject): boolean {
  return listOr(at(definition, 'status', 'conditions')).some(
    (condition) => at(condition, 'type') === 'Established' && at(condition, 'status') === 'True',
  );
}

/** The definition with the status of one whose names are accepted and which is served. */
export function establish(definition: KubernetesObject, now: string): KubernetesObject {
  const spec = objectOr(definition.spec);
  const kind = stringOr(at(spec, 'names', 'kind'), '');
  const storage = listOr(spec.versions).find((version) => at(version, 'storage') === true);
  const stored = new Set([
    ...strings(at(definition, 'status', 'storedVersions')),
    stringOr(at(storage, 'name'), ''),
  ]);
  const since = listOr(at(definition, 'status', 'conditions')).find(
    (condition) => at(condition, 'type') === 'Established',
  );
  const lastTransitionTime = stringOr(at(since, 'lastTransitionTime'), now);
  return {
    ...definition,
    status: {
      acceptedNames: { listKind: `${kind}List`, singular: kind.toLowerCase(), ...objectOr(spec.names) },
      conditions: [
        {
          lastTransitionTime,
          message: 'no conflicts found',
          reason: 'NoConflicts',
          status: 'True',
          type: 'NamesAccepted',
        },
        {
          lastTransitionTime,
          message: 'the initial names have been accepted',
          reason: 'InitialNamesAccepted',
          status: 'True',
          type: 'Established',
        },
      ],
      storedVersions: [...stored],
    },
  };
}

/** What a real server refuses in a definition, as far as a typo makes it likely. */
export function definitionProblems(definition: KubernetesObject): readonly StatusCause[] {
  const spec = objectOr(definition.spec);
  const problems: StatusCause[] = [];
  for (const field of ['group', 'scope'] as const) {
    if (!spec[field]) problems.push(requiredValue(`spec.${field}`));
  }
  const plural = stringOr(at(spec, 'names', 'plural'), '');
  if (!plural) problems.push(requiredValue('spec.names.plural'));
  if (!at(spec, 'names', 'kind')) problems.push(requiredValue('spec.names.kind'));
  const expected = `${plural}.${stringOr(spec.group, '')}`;
  if (problems.length === 0 && definition.metadata.name !== expected) {
    problems.push({
      reason: 'FieldValueInvalid',
      message: `Invalid value: ${JSON.stringify(definition.metadata.name)}: must be spec.names.plural+"."+spec.group`,
      field: 'metadata.name',
    });
  }
  const storages = listOr(spec.versions).filter((version) => at(version, 'storage') === true);
  if (storages.length !== 1) {
    problems.push({
      reason: 'FieldValueInvalid',
      message: 'Invalid value: must have exactly one version marked as storage version',
      field: 'spec.versions',
    });
  }
  for (const [index, version] of listOr(spec.versions).entries()) {
    if (!isObject(at(version, 'schema', 'openAPIV3Schema'))) {
      problems.push(requiredValue(`spec.versions[${index}].schema.openAPIV3Schema`));
    }
  }
  return problems;
}

function servedVersion(version: Readonly<Record<string, unknown>>): ServedVersion {
  const columns = listOr(version.additionalPrinterColumns).filter(isObject).map(printerColumn);
  const schema = at(version, 'schema', 'openAPIV3Schema');
  return {
    name: stringOr(version.name, ''),
    subresources: Object.keys(objectOr(version.subresources)),
    printerColumns: columns.length > 0 ? columns : [age],
    ...(isObject(schema) ? { schema } : {}),
  };
}

function printerColumn(column: Readonly<Record<string, unknown>>): PrinterColumn {
  return {
    name: stringOr(column.name, ''),
    type: stringOr(column.type, 'string'),
    jsonPath: stringOr(column.jsonPath, ''),
    ...(typeof column.priority === 'number' ? { priority: column.priority } : {}),
    ...(typeof column.description === 'string' ? { description: column.description } : {}),
    ...(typeof column.format === 'string' ? { format: column.format } : {}),
  };
}

function strings(value: unknown): readonly string[] {
  return listOr(value).filter((item) => typeof item === 'string');
}

/**
 * Orders versions as Kubernetes does: GA before beta before alpha, higher numbers first, other names last
 * (k8s.io/apimachinery/pkg/version/helpers.go).
 */
export function compareVersions(left: string, right: string): number {
  const [a, b] = [versionRank(left), versionRank(right)];
  for (let index = 0; index < a.length; index += 1) {
    const difference = (b[index] ?? 0) - (a[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return left < right ? -1 : 1;
}

function versionRank(version: string): readonly number[] {
  const match = /^v(\d+)(?:(alpha|beta)(\d+))?$/.exec(version);
  if (!match) return [0, 0, 0];
  const stability = match[2] === undefined ? 3 : match[2] === 'beta' ? 2 : 1;
  return [stability, Number(match[1]), Number(match[3] ?? 0)];
}
