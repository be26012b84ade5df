/** What exit codes of the CLI mean, for docs/cli.md and docs/errors.md. */
const exitCodes: readonly { readonly code: number; readonly meaning: string }[] = [
  { code: 0, meaning: 'done' },
  { code: 1, meaning: 'failed' },
  { code: 2, meaning: 'wrong usage, wrong spec, or an unreadable file' },
  { code: 3, meaning: 'not found' },
  { code: 4, meaning: 'conflict: another operation, another spec, something in the way' },
  { code: 5, meaning: 'not allowed, or not confirmed' },
  { code: 6, meaning: 'timed out; with `--timeout` the operation goes on' },
  { code: 7, meaning: 'Petra is unreachable, or a local one did not start' },
  { code: 130, meaning: 'interrupted by Ctrl-C; the operation goes on' },
  { code: 141, meaning: 'whoever read the output went away' },
];

/** Exit codes as a table. */
export function exitCodeTable(): string {
  return [
    '| exit code | meaning |',
    '|---|---|',
    ...exitCodes.map(({ code, meaning }) => `| ${code} | ${meaning} |`),
  ].join('\n');
}
