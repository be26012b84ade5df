// Label selectors and field selectors, as in `kubectl get -l … --field-selector …`.

import type { KubernetesObject } from '../../core/ports.ts';
import { at } from './api-json.ts';
import type { ResourceType } from './api-resources.ts';
import { badRequest } from './api-status.ts';

export type Matcher = (object: KubernetesObject) => boolean;

const everything: Matcher = () => true;

/** The test that a label selector stands for. @throws ApiStatusError 400 when it cannot be parsed */
export function labelMatcher(selector: string | undefined): Matcher {
  const tests = splitRequirements(selector ?? '').map(labelTest);
  if (tests.length === 0) return everything;
  return (object) => {
    const labels = object.metadata.labels ?? {};
    return tests.every((test) => test(labels));
  };
}

/** Fields besides name and namespace that can be selected by, for the kinds that have some. */
const selectableFields: Readonly<Record<string, readonly string[]>> = {
  Event: [
    ...['kind', 'namespace', 'name', 'uid', 'apiVersion', 'resourceVersion', 'fieldPath'].map(
      (field) => `involvedObject.${field}`,
    ),
    'reason',
    'reportingComponent',
    'source',
    'type',
  ],
  Job: ['status.successful'],
  Namespace: ['status.phase'],
  Node: ['spec.unschedulable'],
  Pod: [
    'spec.nodeName',
    'spec.restartPolicy',
    'spec.schedulerName',
    'spec.serviceAccountName',
    'status.phase',
    'status.podIP',
  ],
  ReplicaSet: ['status.replicas'],
  Secret: ['type'],
};

/** The test that a field selector stands for. @throws ApiStatusError 400 for a field that cannot be selected by */
export function fieldMatcher(selector: string | undefined, type: ResourceType): Matcher {
  const tests = (selector ?? '')
    .split(',')
    .filter((part) => part.trim() !== '')
    .map((part) => fieldTest(part, type));
  if (tests.length === 0) return everything;
  return (object) => tests.every((test) => test(object));
}

function fieldTest(requirement: string, type: ResourceType): Matcher {
  const match = /^\s*([\w.[\]-]+?)\s*(!=|==|=)\s*(.*?)\s*$/.exec(requirement);
  const [, field, operator, wanted] = match ?? [];
  if (field === undefined || wanted === undefined) {
    throw badRequest(`invalid selector: '${requirement}'; can't understand '${requirement}'`);
  }
  const selectable = [
    'metadata.name',
    'metadata.namespace',
    ...((!type.custom && selectableFields[type.kind]) || []),
  ];
  if (!selectable.includes(field)) {
    if (type.custom) throw badRequest(`field label not supported: ${field}`);
    const known = selectable.map((name) => JSON.stringify(name)).join(', ');
    throw badRequest(`${JSON.stringify(field)} is not a known field selector: only ${known}`);
  }
  const path = field.split('.');
  return (object) => {
    const value = at(object, ...path);
    const text = value === undefined || value === null ? '' : String(value);
    return operator === '!=' ? text !== wanted : text === wanted;
  };
}

type LabelTest = (labels: Readonly<Record<string, string>>) => boolean;

function labelTest(requirement: string): LabelTest {
  const set = /^(\S+)\s+(in|notin)\s*\(([^)]*)\)$/.exec(requirement);
  if (set) {
    const [, key = '', operator, list = ''] = set;
    const values = list.split(',').map((value) => value.trim());
    if (operator === 'in') return (labels) => values.includes(labels[key] ?? '') && key in labels;
    return (labels) => !(key in labels) || !values.includes(labels[key] ?? '');
  }
  const equality = /^([^\s=!]+)\s*(==|=|!=)\s*([\w.-]*)$/.exec(requirement);
  if (equality) {
    const [, key = '', operator, value = ''] = equality;
    if (operator === '!=') return (labels) => labels[key] !== value;
    return (labels) => labels[key] === value;
  }
  const existence = /^(!?)\s*([\w./-]+)$/.exec(requirement);
  if (existence) {
    const [, not, key = ''] = existence;
    return not ? (labels) => !(key in labels) : (labels) => key in labels;
  }
  const [first = '', second = ''] = requirement.split(/\s+/).slice(1);
  throw badRequest(
    /^(in|notin)$/.test(first)
      ? `unable to parse requirement: found '${second}' expected: '('`
      : `unable to parse requirement: found '${first}', expected: in, notin, =, ==, !=, gt, lt`,
  );
}

/** Splits at commas that are not inside parentheses. */
function splitRequirements(selector: string): readonly string[] {
  return selector
    .split(/,(?![^(]*\))/)
    .map((part) => part.trim())
    .filter((part) => part !== '');
}
