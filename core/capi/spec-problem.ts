// One thing that is wrong with a spec, and how it is told.

/** One problem of a spec. Texts are safe to print: bounded, without control characters, without secrets. */
export interface SpecProblem {
  /** For example `spec.nodes.workers.count`; empty for the file as a whole. */
  readonly path: string;
  /** From 1; absent when the problem has no place, as in a request to the API. */
  readonly line?: number;
  readonly column?: number;
  /** The wrong value as it was written. */
  readonly value?: string;
  /** Continues the path, for example `is not a release version`. */
  readonly problem: string;
  /** What would be right. */
  readonly expected?: string;
  /** What to do, for example ``did you mean `workers`?``. */
  readonly fix?: string;
}

/** Keys and indexes from the root of a spec to a field. */
export type FieldPath = readonly (string | number)[];

const maxShownLength = 60;
// C0 and C1 control characters, the bidirectional overrides, line separators and lone surrogates: a terminal must
// show what was written, not obey it.
const unprintable = /[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/u;

/** The text as it can be printed on one line: escaped, and cut at 60 characters. */
export function showText(text: string, limit: number = maxShownLength): string {
  let shown = '';
  let length = 0;
  for (const character of text) {
    if (length === limit) return `${shown}…`;
    shown += unprintable.test(character) ? escapeCharacter(character) : character;
    length += 1;
  }
  return shown;
}

function escapeCharacter(character: string): string {
  if (character === '\n') return '\\n';
  if (character === '\t') return '\\t';
  if (character === '\r') return '\\r';
  return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
}

// Access keys, PEM blocks, tokens: what somebody pastes into the wrong field must not end up in a log.
const secretShapes = [
  /(AKIA|ASIA)[A-Z0-9]{12,}/,
  /-----BEGIN /,
  /(^|[^A-Za-z0-9])(eyJ|gh[pousr]_|github_pat_|xox[abp]-)[A-Za-z0-9_-]{8,}/,
  /K10[0-9a-f]{4,}|::(server|node):/,
  /(?=[A-Za-z0-9+/_=-]*[0-9])(?=[A-Za-z0-9+/_=-]*[a-z])(?=[A-Za-z0-9+/_=-]*[A-Z])[A-Za-z0-9+/_=-]{32,}/,
  /[0-9a-fA-F]{32,}/,
];

/** What stands for a value that looks like a secret. */
export const hiddenValue = '(looks like a secret, not shown)';

/** The value as a problem may show it; one that looks like a secret is replaced by `hiddenValue`. */
export function showValue(text: string): string {
  const start = text.slice(0, 4096);
  return secretShapes.some((shape) => shape.test(start)) ? hiddenValue : showText(text);
}

/** A path as it is written in problems: `spec.target.network.subnetIds[0]`. */
export function showPath(path: FieldPath): string {
  let shown = '';
  for (const key of path) {
    if (typeof key === 'number') shown += `[${key}]`;
    else if (/^[A-Za-z_][A-Za-z0-9_-]{0,59}$/.test(showValue(key))) shown += shown === '' ? key : `.${key}`;
    else shown += `["${showValue(key).replaceAll('"', '\\"')}"]`;
  }
  return shown;
}

/** The problems from the top of the file to its end; those without a place first. Keeps the order otherwise. */
export function sortProblems(problems: readonly SpecProblem[]): SpecProblem[] {
  return problems.toSorted((a, b) => (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0));
}

/** Problems for a terminal, one per line: `file:line:column  path: problem (got value), expected this; do that`. */
export function formatProblems(file: string, problems: readonly SpecProblem[]): string {
  const name = showText(file, 255);
  return problems.map((problem) => `${formatPlace(name, problem)}  ${formatProblem(problem)}`).join('\n');
}

function formatPlace(file: string, { line, column }: SpecProblem): string {
  return [file, line, column].filter((part) => part !== undefined).join(':');
}

function formatProblem({ path, value, problem, expected, fix }: SpecProblem): string {
  return [
    path === '' ? '' : `${path}: `,
    problem,
    value === undefined ? '' : ` (got ${value})`,
    expected === undefined ? '' : `, expected ${expected}`,
    fix === undefined ? '' : `; ${fix}`,
  ].join('');
}
