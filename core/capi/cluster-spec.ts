// What a user asks for: read it, check it, compare it. Everything else trusts the ClusterSpec that comes out of here.

import { createHash } from 'node:crypto';
import { canonicalJson } from '../canonical-json.ts';
import { PetraError } from '../errors.ts';
import { checkSpec } from './spec-check.ts';
import { type SpecProblem, showText, sortProblems } from './spec-problem.ts';
import type { SpecExpectation } from './spec-rules.ts';
import type { ClusterSpec } from './spec-schema.ts';
import { readSpecText } from './spec-text.ts';
import { readYaml } from './spec-yaml.ts';

/** More than anybody reads; hostile input can have tens of thousands. */
const maxProblems = 100;

/**
 * A valid spec from a YAML or JSON file, every default filled in. `expect` (default `any`) refuses the other kind.
 * Depends on nothing but its arguments, and ends quickly for any input.
 * @throws InvalidSpec with `details` `{ file, problems: SpecProblem[] }`: every problem at once, from top to end.
 */
export function parseClusterSpec(
  bytes: Uint8Array | string,
  options: { readonly file: string; readonly expect?: SpecExpectation },
): ClusterSpec {
  const { file, expect = 'any' } = options;
  const { spec, problems } = readSpec(bytes, expect, file);
  if (spec !== undefined && problems.length === 0) return spec;
  throw invalid(showText(file, 255), problems, { file });
}

/**
 * The same checks on a value that is already JSON, for requests to the API. Gives a new, completed spec.
 * @throws InvalidSpec with `details` `{ problems: SpecProblem[] }`, without lines.
 */
export function checkClusterSpec(value: unknown, expect: SpecExpectation): ClusterSpec {
  const source = { value, place: () => undefined, written: () => undefined, isSettled: () => false };
  const { spec, problems } = checkSpec(source, expect, 'FILE');
  if (spec !== undefined) return spec;
  throw invalid('the spec', problems, {});
}

function readSpec(
  bytes: Uint8Array | string,
  expect: SpecExpectation,
  file: string,
): { readonly spec?: ClusterSpec; readonly problems: readonly SpecProblem[] } {
  const read = readSpecText(bytes);
  if ('problems' in read) return { problems: read.problems };
  const { source, problems } = readYaml(read.text);
  if (source === undefined) return { problems };
  // A name that would need quoting in a shell is not worth a suggestion that does not work.
  const checked = checkSpec(source, expect, /^[\w./+@-]+$/.test(file) && file !== 'stdin' ? file : 'FILE');
  return { ...checked, problems: [...problems, ...checked.problems] };
}

function invalid(
  what: string,
  problems: readonly SpecProblem[],
  where: { readonly file?: string },
): PetraError {
  const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`;
  const sorted = sortProblems(problems);
  const more = sorted.length - maxProblems;
  const shown =
    more > 0
      ? [...sorted.slice(0, maxProblems), { path: '', problem: `has ${more} more problems, not listed` }]
      : sorted;
  return new PetraError('InvalidSpec', `${what} has ${count}`, { details: { ...where, problems: shown } });
}

/**
 * A fingerprint of what the cluster is made of: sha256 in hex over the spec as JSON with sorted keys. The same for
 * specs that differ only in `spec.deletionProtection`, which can change without changing the cluster.
 */
export function hashClusterSpec(spec: ClusterSpec): string {
  return createHash('sha256')
    .update(canonicalJson(withoutProtection(spec)))
    .digest('hex');
}

/** A field that two specs have different values for; `undefined` where a spec lacks it. */
export interface SpecDifference {
  readonly path: string;
  readonly before: unknown;
  readonly after: unknown;
}

/** Field by field what differs, in the order of paths; empty exactly when the hashes are equal. */
export function diffClusterSpecs(before: ClusterSpec, after: ClusterSpec): SpecDifference[] {
  const old = leaves(withoutProtection(before));
  const next = leaves(withoutProtection(after));
  return [...new Set([...old.keys(), ...next.keys()])]
    .toSorted()
    .map((path) => ({ path, before: old.get(path), after: next.get(path) }))
    .filter((difference) => canonicalJson(difference.before) !== canonicalJson(difference.after));
}

/**
 * How many availability zones a network that is made for the cluster spans: as asked for, else one for a single
 * control-plane node and three for more. Says nothing about a cluster in an existing VPC.
 */
export function availabilityZones(spec: ClusterSpec): number {
  const asked = spec.spec.target.network?.availabilityZones;
  return asked ?? (spec.spec.nodes.controlPlane.count === 1 ? 1 : 3);
}

function withoutProtection(spec: ClusterSpec): object {
  const { deletionProtection: _, ...rest } = spec.spec;
  return { ...spec, spec: rest };
}

function leaves(value: object): Map<string, unknown> {
  const found = new Map<string, unknown>();
  const visit = (outer: object, prefix: string) => {
    for (const [key, inner] of Object.entries(outer)) {
      if (inner === undefined) continue;
      if (typeof inner === 'object' && inner !== null && !Array.isArray(inner))
        visit(inner, `${prefix}${key}.`);
      else found.set(`${prefix}${key}`, inner);
    }
  };
  visit(value, '');
  return found;
}
