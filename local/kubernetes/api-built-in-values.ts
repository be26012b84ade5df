// Which values of built-in kinds a real server refuses, as far as a typo makes them likely. Fields and their types are
// another matter: api-typing.ts.

import type { KubernetesObject } from '../../core/ports.ts';
import { at, listOr, objectOr, sameJson } from './api-json.ts';
import type { ResourceType } from './api-resources.ts';
import { invalidValue, requiredValue, type StatusCause } from './api-status.ts';

/** With `before`: also what the change may not change. */
export function builtInProblems(
  type: ResourceType,
  object: KubernetesObject,
  before?: KubernetesObject,
): readonly StatusCause[] {
  const isData = type.group === '' && (type.kind === 'ConfigMap' || type.kind === 'Secret');
  return isData ? dataProblems(type, object, before) : workloadProblems(type, object, before);
}

/** The first byte that is not base64 in the data of a Secret, in Go's words: such an object cannot even be decoded. */
export function undecodable(type: ResourceType, object: KubernetesObject): string | undefined {
  if (type.group !== '' || type.kind !== 'Secret') return undefined;
  for (const value of Object.values(objectOr(object.data))) {
    const text = String(value ?? '').replaceAll(/[\r\n]/g, '');
    const wrong = /[^A-Za-z0-9+/=]/.exec(text)?.index ?? (text.length % 4 === 0 ? undefined : text.length);
    if (wrong !== undefined) return `illegal base64 data at input byte ${wrong}`;
  }
  return undefined;
}

const keyRule =
  "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')";

function dataProblems(
  type: ResourceType,
  object: KubernetesObject,
  before: KubernetesObject | undefined,
): readonly StatusCause[] {
  const problems = ['data', 'binaryData'].flatMap((field) =>
    Object.keys(objectOr(object[field]))
      .filter((key) => !/^[-._a-zA-Z0-9]{1,253}$/.test(key) || key === '.' || key.startsWith('..'))
      .map((key) => invalidValue(`${field}[${key}]`, key, keyRule)),
  );
  if (type.kind === 'Secret' && before && before.type !== object.type) {
    problems.push(invalidValue('type', object.type, 'field is immutable'));
  }
  return problems;
}

/** Kinds with a pod template, and a selector that must be stated and cannot be changed. */
const selecting = new Set(['DaemonSet', 'Deployment', 'ReplicaSet', 'StatefulSet']);

function workloadProblems(
  type: ResourceType,
  object: KubernetesObject,
  before: KubernetesObject | undefined,
): readonly StatusCause[] {
  const isPod = type.group === '' && type.kind === 'Pod';
  const isTemplated = type.group === 'apps' && selecting.has(type.kind);
  if (!isPod && !isTemplated) return [];
  const path = isPod ? 'spec' : 'spec.template.spec';
  const containers = at(object, ...path.split('.'), 'containers');
  const problems = listOr(containers).flatMap((container, index) =>
    ['name', 'image']
      .filter((field) => !at(container, field))
      .map((field) => requiredValue(`${path}.containers[${index}].${field}`)),
  );
  if (listOr(containers).length === 0) problems.push(requiredValue(`${path}.containers`));
  if (!isTemplated) return problems;
  const selector = at(object, 'spec', 'selector');
  if (selector === undefined) problems.push(requiredValue('spec.selector'));
  else if (before && !sameJson(selector, at(before, 'spec', 'selector'))) {
    problems.push(invalidValue('spec.selector', selector, 'field is immutable'));
  }
  const labels = objectOr(at(object, 'spec', 'template', 'metadata', 'labels'));
  const wanted = Object.entries(objectOr(at(selector, 'matchLabels')));
  if (wanted.some(([key, value]) => labels[key] !== value)) {
    const why = '`selector` does not match template `labels`';
    problems.push(invalidValue('spec.template.metadata.labels', labels, why));
  }
  const replicas = at(object, 'spec', 'replicas');
  if (typeof replicas === 'number' && replicas < 0) {
    problems.push(invalidValue('spec.replicas', replicas, 'must be greater than or equal to 0'));
  }
  return problems;
}
