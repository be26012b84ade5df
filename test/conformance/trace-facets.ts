// What a trace tells of one state of an object: the parts that say something to whoever waits for it or looks after
// it. Values that chance or time decide are only told to be there. Contents of Secrets are never looked at.

import { at, isObject, listAt, textAt, textsAt } from '../../core/json-fields.ts';
import type { KubernetesObject } from '../../core/ports.ts';
import type { Cast } from './trace-roles.ts';

/** Facets by name: `finalizers`, `condition Ready`, `status.phase` … */
export type Facets = ReadonlyMap<string, string>;

/** The value of a facet that is not there, where its absence says something. */
export const absent = 'none';

/** Fields of a spec that controllers fill in, and those that scale. */
const specFields: readonly (readonly string[])[] = [
  ['replicas'],
  ['paused'],
  ['providerID'],
  ['instanceID'],
  ['failureDomain'],
  ['controlPlaneEndpoint', 'host'],
  ['bootstrap', 'configRef', 'kind'],
  ['bootstrap', 'dataSecretName'],
  ['infrastructureRef', 'kind'],
  ['controlPlaneRef', 'kind'],
  ['network', 'vpc', 'id'],
];

/** Texts whose value is told; all others are only told to be there. */
const toldTexts = new Set(['phase', 'instanceState', 'kind', 'version', 'failureReason', 'loadBalancerType']);

/** Parts of a status with a shape of their own, or full of what the cloud decided. */
const untold = new Set(['networkStatus', 'nodeInfo', 'failureDomains', 'addresses']);

/** Told elsewhere, and what Cluster API 1.9 tells of its next contract, which nobody reads yet. */
const left = new Set(['conditions', 'v1beta2']);

export function facetsOf(object: KubernetesObject, cast: Cast): Facets {
  const { kind, metadata } = object;
  const uid = metadata.uid ?? '';
  const facets = new Map<string, string>();
  facets.set('name', cast.nameFor(metadata.name, uid));
  facets.set('owners', joined(listAt(metadata, 'ownerReferences').map((owner) => ownerText(owner, cast))));
  facets.set('finalizers', joined(metadata.finalizers ?? []));
  facets.set('labels', joined(Object.keys(metadata.labels ?? {}).filter(isClusterApi)));
  facets.set('annotations', joined(Object.keys(metadata.annotations ?? {}).filter(isClusterApi)));
  if (kind === 'Secret') {
    facets.set('type', textAt(object, 'type') ?? absent);
    facets.set('keys', joined(Object.keys(isObject(object.data) ? object.data : {})));
    return facets;
  }
  for (const path of specFields) {
    const text = valueText(path.at(-1) ?? '', at(object, 'spec', ...path));
    if (text !== undefined) facets.set(`spec.${path.join('.')}`, text);
  }
  addFields(facets, 'status', object.status);
  for (const condition of listAt(object, 'status', 'conditions')) {
    facets.set(`condition ${textAt(condition, 'type')}`, conditionText(condition, cast));
  }
  return facets;
}

function joined(values: readonly string[]): string {
  return values.length === 0 ? absent : values.toSorted().join(', ');
}

function isClusterApi(key: string): boolean {
  return /(^|\.)cluster\.x-k8s\.io\/|^machine-template-hash$/.test(key);
}

function ownerText(owner: unknown, cast: Cast): string {
  const who = cast.roleOf(textAt(owner, 'uid') ?? '') ?? textAt(owner, 'kind') ?? '';
  return at(owner, 'controller') === true ? `${who} (controller)` : who;
}

function conditionText(condition: unknown, cast: Cast): string {
  const { status = '', severity = '', reason = '' } = textsAt(condition);
  // Some reasons name an object: `InstanceProvisionFailed @ Machine/dev-abcde`.
  const [what = '', where] = reason.split(' @ ');
  const place =
    where === undefined ? '' : ` @ ${where.split('/')[0]}/${cast.nameFor(where.split('/')[1] ?? '', '')}`;
  return [status, severity, `${what}${place}`].filter((word) => word !== '').join(' ');
}

function addFields(facets: Map<string, string>, path: string, value: unknown): void {
  for (const [name, field] of Object.entries(isObject(value) ? value : {})) {
    if (left.has(name)) continue;
    if (isObject(field) && !untold.has(name) && name !== 'nodeRef')
      addFields(facets, `${path}.${name}`, field);
    else {
      const text = name === 'nodeRef' ? textAt(field, 'kind') : valueText(name, field);
      // Go leaves out most of what is zero or false, so these say the same as nothing.
      if (text !== undefined && text !== '0' && text !== 'false') facets.set(`${path}.${name}`, text);
    }
  }
}

function valueText(name: string, value: unknown): string | undefined {
  if (value === undefined || value === null || value === '') return undefined;
  if (name === 'observedGeneration') return 'set';
  if (typeof value === 'boolean' || typeof value === 'number') return String(value);
  if (typeof value === 'string') return toldTexts.has(name) ? value : 'set';
  return Object.keys(value).length > 0 ? 'set' : undefined;
}
