// What a preflight's findings mean for the operation that it is the first state of.

import { PetraError } from '../errors.ts';
import { inOrder, isPassing, type PreflightFinding } from '../preflight/finding.ts';
import type { StepContext } from './context.ts';
import type { StepOutput } from './run-step.ts';

/**
 * Lets the operation go on, or refuses it with all errors at once. What stops nothing, because it is a warning or was
 * accepted, is told: in the operation and in the ledger, under the name of who asked. Safe to repeat.
 */
export async function settleFindings(
  context: StepContext,
  findings: readonly PreflightFinding[],
): Promise<StepOutput> {
  const accepted = context.operation.options.accept ?? [];
  const isAccepted = ({ acceptable, code }: PreflightFinding) => acceptable && accepted.includes(code);
  const stopping = inOrder(findings.filter((one) => one.severity === 'error' && !isAccepted(one)));
  const refusal = refusalOf(stopping);
  // It is run again, and the last run tells what is to be told.
  if (refusal && isPassing(refusal)) throw refusal;
  const told = findings.filter((one) => !stopping.includes(one));
  await tell(context, told);
  if (refusal) throw refusal;
  const warnings = told.filter(({ severity }) => severity === 'warning').length;
  const others = told.length - warnings;
  return { message: `${counted(warnings, 'warning')}${others === 0 ? '' : `, ${others} accepted`}` };
}

function counted(number: number, what: string): string {
  return `${number === 0 ? 'no' : number} ${what}${number === 1 ? '' : 's'}`;
}

/** The ledger first: a kill in between leaves a second line there, never a missing one. */
async function tell(context: StepContext, findings: readonly PreflightFinding[]): Promise<void> {
  const { clock, ledger, operation, operations } = context;
  const news = findings
    .map((finding) => ({ finding, text: textOf(finding) }))
    .filter(({ text }) => !operation.warnings.includes(text));
  for (const { finding, text } of news) {
    await ledger.append({
      cluster: operation.cluster,
      uid: operation.uid,
      at: clock.now().toISOString(),
      operationId: operation.id,
      verb: operation.verb,
      step: 'Preflight',
      outcome: finding.severity === 'error' ? 'accepted' : 'warned',
      code: finding.code,
      message: text,
      caller: operation.caller,
    });
  }
  if (news.length > 0) {
    await operations.warn(
      operation.id,
      news.map(({ text }) => text),
    );
  }
}

function textOf({ severity, code, message }: PreflightFinding): string {
  return severity === 'error' ? `${code} was accepted: ${message}` : message;
}

/** One error that holds every finding: its code is the first one's. Undefined when there are none. */
function refusalOf(findings: readonly PreflightFinding[]): PetraError | undefined {
  const [first] = findings;
  if (!first) return undefined;
  return new PetraError(first.code, findings.map(({ message }) => message).join('\n'), {
    fix: [...new Set(findings.map(({ fix }) => fix))].join('\n'),
    evidence: findings.flatMap(({ evidence = [] }) => evidence),
    details: { findings },
  });
}
