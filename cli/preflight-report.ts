import type { PreflightAnswer } from '../core/api/contract.ts';
import { PetraError } from '../core/errors.ts';
import type { PreflightFinding } from '../core/preflight/finding.ts';
import type { PlannedItem } from '../core/preflight/plan.ts';
import { formatTable, plainText } from './table.ts';

/** Findings with their remedies, then what would be made. `wide` has one line for each finding. */
export function preflightText({ findings, plan, durationMs }: PreflightAnswer, wide: boolean): string {
  const seconds = (durationMs / 1000).toFixed(1);
  return [
    ...(findings.length === 0 ? [] : [wide ? formatTable(findingColumns, findings) : blocks(findings), '']),
    formatTable(itemColumns, plan.items),
    '',
    ...plan.unchecked.map((what) => `not looked at: ${what}`),
    `${summaryOf(findings)} (${seconds}s)`,
  ].join('\n');
}

function summaryOf(findings: readonly PreflightFinding[]): string {
  if (findings.length === 0) return 'nothing speaks against it';
  const errors = findings.filter(({ severity }) => severity === 'error').length;
  return [counted(errors, 'error'), counted(findings.length - errors, 'warning')].join(', ');
}

function counted(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}

/** A message and its remedy are too long to stand side by side on a screen. */
function blocks(findings: readonly PreflightFinding[]): string {
  return findings
    .flatMap(({ severity, code, message, fix, evidence = [] }) => [
      `${severity} ${code}: ${plainText(message)}`,
      ...evidence.map((line) => `  ${plainText(line)}`),
      `  fix: ${plainText(fix)}`,
    ])
    .join('\n');
}

const findingColumns = [
  { title: 'SEVERITY', value: (finding: PreflightFinding) => finding.severity },
  { title: 'CODE', value: (finding: PreflightFinding) => finding.code },
  { title: 'WHAT', value: (finding: PreflightFinding) => finding.message },
  { title: 'REMEDY', value: (finding: PreflightFinding) => finding.fix },
];

const itemColumns = [
  { title: 'TO BE MADE', value: (item: PlannedItem) => item.what },
  { title: 'COUNT', value: (item: PlannedItem) => String(item.count) },
  { title: 'EXIST', value: (item: PlannedItem) => String(item.existing) },
  { title: 'SURGE', value: (item: PlannedItem) => String(item.surge) },
  {
    title: 'USED',
    value: ({ quota }: PlannedItem) => (quota ? `${quota.used} of ${quota.limit}` : ''),
  },
  { title: 'QUOTA', value: ({ quota }: PlannedItem) => quota?.code ?? '' },
  { title: 'BECAUSE', value: (item: PlannedItem) => item.because },
];

/** The end of a command whose preflight found what stops; undefined when nothing does. */
export function refusalOf(
  cluster: string,
  findings: readonly PreflightFinding[],
  strict: boolean,
): PetraError | undefined {
  const stopping = findings.filter(({ severity }) => strict || severity === 'error');
  const [first] = stopping;
  if (!first) return undefined;
  const others = stopping.length === 1 ? '' : ` (the first of ${stopping.length})`;
  return new PetraError(first.code, `"${cluster}" cannot be made so: ${first.message}${others}`, {
    fix: first.fix,
    evidence: first.evidence ?? [],
  });
}
