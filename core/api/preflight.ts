// A preflight on its own, without an operation.

import type { ClusterSpec } from '../capi/spec-schema.ts';
import { PetraError } from '../errors.ts';
import type { OperationOptions } from '../fleet.ts';
import type { Ports } from '../petra.ts';
import {
  acceptableCodes,
  ask,
  errorFinding,
  findingOf,
  inOrder,
  type PreflightFinding,
  unacceptable,
} from '../preflight/finding.ts';
import { type ManagementPreflightPorts, preflightManagement } from '../preflight/management.ts';
import { type Subject, subjectOf } from '../preflight/subject.ts';
import { preflightWorkload, type WorkloadPreflightPorts } from '../preflight/workload.ts';
import { chooseManagement } from './choose-management.ts';
import type { PreflightAnswer } from './contract.ts';

export type PreflightPorts = ManagementPreflightPorts & WorkloadPreflightPorts & Pick<Ports, 'fleet'>;

/** What the first state of init or create would find, by the kind of the spec. */
export async function runPreflight(
  ports: PreflightPorts,
  spec: ClusterSpec,
  management: unknown,
): Promise<PreflightAnswer> {
  const begun = ports.clock.now();
  const name = spec.metadata.name;
  const present = await ports.fleet.find(name);
  const record = present?.phase === 'Deleted' ? undefined : present;
  const versions = spec.spec.management;
  const kind = versions ? 'management' : 'workload';
  const isOther = record !== undefined && record.kind !== kind;
  const subject: Subject = subjectOf(spec, isOther ? undefined : record);
  const taken: readonly PreflightFinding[] = isOther
    ? [
        errorFinding('NameTaken', `"${name}" is already the name of a ${record.kind} cluster`, {
          path: 'metadata.name',
        }),
      ]
    : [];
  const [report, home] = await Promise.all([
    versions ? preflightManagement(ports, subject, versions) : preflightWorkload(ports, subject),
    versions || isOther ? undefined : ask(chooseManagement(ports, name, management)),
  ]);
  if (home?.silence?.code === 'InvalidRequest') throw home.silence;
  return {
    findings: inOrder([...taken, ...(home?.silence ? [findingOf(home.silence)] : []), ...report.findings]),
    plan: report.plan,
    checkedAt: begun.toISOString(),
    durationMs: ports.clock.now().getTime() - begun.getTime(),
  };
}

/** How an operation was asked to treat findings. @throws InvalidRequest for what cannot be accepted */
export function acceptOptions(accept: unknown): OperationOptions {
  if (accept === undefined) return {};
  if (!Array.isArray(accept) || !accept.every((code) => typeof code === 'string')) {
    throw new PetraError('InvalidRequest', 'accept: expected a list of codes');
  }
  const codes = [...new Set<string>(accept)].toSorted();
  const wrong = unacceptable(codes);
  if (wrong.length > 0) {
    throw new PetraError('InvalidRequest', `accept: ${wrong.join(', ')} cannot be accepted`, {
      fix: `These can be: ${acceptableCodes.join(', ')}.`,
    });
  }
  return codes.length === 0 ? {} : { accept: codes };
}
