// Which names, labels and finalizers a real server accepts, and its words for those it does not
// (k8s.io/apimachinery/pkg/util/validation/validation.go).

import type { KubernetesObject } from '../../core/ports.ts';
import type { ResourceType } from './api-resources.ts';
import { invalid, invalidValue, requiredValue, type StatusCause } from './api-status.ts';

interface Format {
  readonly pattern: string;
  readonly longest: number;
  readonly rule: string;
  readonly examples: string;
}

const subdomain: Format = {
  pattern: '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*',
  longest: 253,
  rule: "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character",
  examples: "'example.com'",
};
const label: Format = {
  pattern: '[a-z0-9]([-a-z0-9]*[a-z0-9])?',
  longest: 63,
  rule: "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character",
  examples: "'my-name',  or '123-abc'",
};
const serviceName: Format = {
  pattern: '[a-z]([-a-z0-9]*[a-z0-9])?',
  longest: 63,
  rule: "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character",
  examples: "'my-name',  or 'abc-123'",
};
const labelValue: Format = {
  pattern: '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?',
  longest: 63,
  rule: "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
  examples: "'MyValue',  or 'my_value',  or '12345'",
};
const keyName: Format = {
  pattern: '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]',
  longest: 63,
  rule: "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
  examples: "'MyName',  or 'my.name',  or '123-abc'",
};

function violation({ pattern, longest, rule, examples }: Format, text: string): string | undefined {
  if (text.length > longest) return `must be no more than ${longest} characters`;
  if (new RegExp(`^(?:${pattern})$`).test(text)) return undefined;
  return `${rule} (e.g. ${examples}, regex used for validation is '${pattern}')`;
}

/** @throws ApiStatusError 422 with every problem of the metadata, and those in `more` */
export function checkMetadata(
  type: ResourceType,
  object: KubernetesObject,
  more: readonly StatusCause[] = [],
): void {
  const { name } = object.metadata;
  const problems = [
    ...(name === ''
      ? [requiredValue('metadata.name', 'name or generateName is required')]
      : nameProblems(type, name)),
    ...labelProblems(object.metadata.labels ?? {}),
    ...finalizerProblems(type, object.metadata.finalizers ?? []),
    ...ownerProblems(object),
    ...more,
  ];
  if (problems.length > 0) throw invalid(type, name, problems);
}

function nameProblems(type: ResourceType, name: string): readonly StatusCause[] {
  // Names in RBAC may be any segment of a path.
  if (type.group === 'rbac.authorization.k8s.io') {
    const isSegment = !/[/%]/.test(name) && name !== '.' && name !== '..';
    return isSegment ? [] : [invalidValue('metadata.name', name, "may not contain '/'")];
  }
  const format =
    type.custom || type.group !== ''
      ? subdomain
      : type.kind === 'Namespace'
        ? label
        : type.kind === 'Service'
          ? serviceName
          : subdomain;
  const why = violation(format, name);
  return why === undefined ? [] : [invalidValue('metadata.name', name, why)];
}

function labelProblems(labels: Readonly<Record<string, string>>): readonly StatusCause[] {
  return Object.entries(labels).flatMap(([key, value]) => {
    const slash = key.lastIndexOf('/');
    const wrongPrefix = slash < 0 ? undefined : violation(subdomain, key.slice(0, slash));
    const wrongName = violation(keyName, key.slice(slash + 1));
    const wrongValue = violation(labelValue, String(value));
    return [
      ...(wrongPrefix === undefined
        ? []
        : [invalidValue('metadata.labels', key, `prefix part ${wrongPrefix}`)]),
      ...(wrongName === undefined ? [] : [invalidValue('metadata.labels', key, wrongName)]),
      ...(wrongValue === undefined ? [] : [invalidValue('metadata.labels', value, wrongValue)]),
    ];
  });
}

const standardFinalizers = new Set(['orphan', 'foregroundDeletion', 'kubernetes']);

function finalizerProblems(type: ResourceType, finalizers: readonly string[]): readonly StatusCause[] {
  // Custom resources may have short ones: cluster.cluster.x-k8s.io is Cluster API's own.
  if (type.custom || type.group === 'apiextensions.k8s.io') return [];
  return finalizers.flatMap((finalizer, index) =>
    finalizer.includes('/') || standardFinalizers.has(finalizer)
      ? []
      : [
          invalidValue(
            `metadata.finalizers[${index}]`,
            finalizer,
            'name is neither a standard finalizer name nor is it fully qualified',
          ),
        ],
  );
}

function ownerProblems({ metadata }: KubernetesObject): readonly StatusCause[] {
  return (metadata.ownerReferences ?? []).flatMap((owner) =>
    (['apiVersion', 'kind', 'name', 'uid'] as const)
      .filter((field) => !owner[field])
      .map((field) => invalidValue(`metadata.ownerReferences.${field}`, '', 'must not be empty')),
  );
}

/** @throws ApiStatusError 422 when an object that is being deleted gets a new finalizer */
export function checkFinalizers(type: ResourceType, next: KubernetesObject, before: KubernetesObject): void {
  if (before.metadata.deletionTimestamp === undefined) return;
  const present = before.metadata.finalizers ?? [];
  const added = (next.metadata.finalizers ?? []).filter((finalizer) => !present.includes(finalizer));
  if (added.length === 0) return;
  const list = added.map((name) => JSON.stringify(name)).join(', ');
  const message = `Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{${list}}`;
  throw invalid(type, next.metadata.name, [
    { reason: 'FieldValueForbidden', message, field: 'metadata.finalizers' },
  ]);
}
