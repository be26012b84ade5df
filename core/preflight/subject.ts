import type { ClusterSpec } from '../capi/spec-schema.ts';
import type { ClusterRecord } from '../fleet.ts';
import type { PreflightFinding } from './finding.ts';
import type { PreflightPlan } from './plan.ts';

/** The cluster that a preflight is about, which need not exist yet. */
export interface Subject {
  readonly spec: ClusterSpec;
  readonly name: string;
  readonly region: string;
  /** Under which something of it may exist already: an earlier attempt got further than its preflight. */
  readonly materializedUid?: string;
}

/** What looking came to. */
export interface PreflightReport {
  /** Errors first. */
  readonly findings: readonly PreflightFinding[];
  readonly plan: PreflightPlan;
}

/** The subject of a spec, and of its record where the fleet has one. */
export function subjectOf(spec: ClusterSpec, record?: ClusterRecord): Subject {
  return {
    spec,
    name: spec.metadata.name,
    region: spec.spec.target.region,
    ...(record?.materialized === true ? { materializedUid: record.uid } : {}),
  };
}
