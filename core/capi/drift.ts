import { at, isObject } from '../json-fields.ts';
import type { KubernetesObject } from '../ports.ts';

/** A field that is not as Petra rendered it. */
export interface Drift {
  /** For example `spec.topology.controlPlane.replicas`. */
  readonly path: string;
  readonly wanted: unknown;
  readonly found: unknown;
}

/**
 * Where a living object differs from what was rendered. Only fields that were rendered count: what the API server, its
 * webhooks and its controllers add is theirs. Items of a list are matched by their `name`, else by their position.
 */
export function driftOf(rendered: KubernetesObject, live: KubernetesObject): readonly Drift[] {
  return differences(rendered.spec, live.spec, 'spec');
}

function differences(wanted: unknown, found: unknown, path: string): Drift[] {
  if (isObject(wanted) && isObject(found)) {
    return Object.entries(wanted).flatMap(([key, value]) =>
      differences(value, at(found, key), `${path}.${key}`),
    );
  }
  if (Array.isArray(wanted) && Array.isArray(found)) {
    return wanted.flatMap((item: unknown, index) => {
      const name = at(item, 'name');
      if (typeof name !== 'string') return differences(item, found[index], `${path}[${index}]`);
      return differences(
        item,
        found.find((one) => at(one, 'name') === name),
        `${path}[${name}]`,
      );
    });
  }
  return wanted === found ? [] : [{ path, wanted, found }];
}
