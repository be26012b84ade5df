import { toProblem } from '../core/api/problem.ts';
import { type ErrorCode, errorCatalogue, PetraError } from '../core/errors.ts';
import { isObject } from '../core/json-fields.ts';
import type { Output } from './output.ts';
import { causesOf } from './problem.ts';
import { formatTable, plainText } from './table.ts';

/** Any error as Petra's own: what was not foreseen becomes `InternalError` with its cause. */
export function asPetraError(error: unknown): PetraError {
  if (error instanceof PetraError) return error;
  const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return new PetraError('InternalError', message, {
    cause: error,
    // The stack is the only trace of an error nobody foresaw.
    evidence: error instanceof Error && error.stack ? error.stack.split('\n').slice(1, 6) : [],
  });
}

/** The exit code of a command that ended with this error. */
export function exitCodeOf(code: ErrorCode): number {
  return errorCatalogue[code].exit;
}

/** The error as problem details (RFC 9457) as the API would answer it, with its causes and the exit code. */
export function errorToProblem(error: PetraError): object {
  const causes = causesOf(error);
  return {
    ...toProblem(error),
    ...(causes.length > 0 ? { causes } : {}),
    exitCode: exitCodeOf(error.code),
  };
}

/**
 * The error for people: what, why, what was seen, what to do. With `json`, the last line of stderr is the error as JSON,
 * whatever progress was shown before it.
 */
export async function reportError(error: PetraError, output: Output, json: boolean): Promise<void> {
  if (json) {
    output.note(JSON.stringify(errorToProblem(error)));
    return;
  }
  const { paint } = output.notes;
  output.note(`${paint('red', 'error:')} ${plainText(error.message)} ${paint('dim', `[${error.code}]`)}`);
  for (const cause of causesOf(error)) {
    if (!error.message.includes(cause)) output.note(`  because: ${plainText(cause)}`);
  }
  const evidence = error.evidence.flatMap((text) => text.split('\n'));
  for (const line of evidence) output.note(`  ${paint('dim', plainText(line))}`);
  const particulars = await formatDetails(error);
  if (particulars !== '') output.note(particulars);
  output.note(`${paint('cyan', 'fix:')} ${plainText(error.fix)}`);
}

/** What a machine reads in `details`, for people: the problems of a file, a table of differences, names. */
async function formatDetails(error: PetraError): Promise<string> {
  if (error.code === 'InvalidSpec') {
    // Loaded here because it brings the YAML parser and the schema, which no other error needs.
    const { formatSpecProblems } = await import('./spec-file.ts');
    return formatSpecProblems(error.details);
  }
  if (!isObject(error.details)) return '';
  return Object.entries(error.details)
    .map(([name, value]) => formatDetail(name, value))
    .join('\n');
}

function formatDetail(name: string, value: unknown): string {
  if (!Array.isArray(value)) return `  ${name}: ${printable(value)}`;
  const rows = value.filter(isObject);
  if (rows.length === 0 || rows.length < value.length) return `  ${name}: ${value.map(printable).join(', ')}`;
  const titles = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const table = formatTable(
    titles.map((title) => ({
      title: title.toUpperCase(),
      value: (row: Readonly<Record<string, unknown>>) => printable(row[title]),
    })),
    rows,
  );
  return `  ${name}:\n${table.replace(/^/gm, '    ')}`;
}

function printable(value: unknown): string {
  if (value === undefined) return '';
  if (isObject(value)) {
    return Object.entries(value)
      .map(([name, part]) => `${name} ${printable(part)}`)
      .join(', ');
  }
  return typeof value === 'string' ? plainText(value) : JSON.stringify(value);
}
