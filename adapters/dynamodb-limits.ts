// An item holds at most 400 KB. What comes from outside (console output, conditions, messages of other programs)
// is cut to these limits before it is stored, so that recording a failure never fails itself. Together: the failure of
// an operation, 48,000 letters at most, and those of steps, 29,000 each. A step that succeeds drops its failure and one
// that does not ends the operation, so there are two of them at most, the step and its diagnosis; a letter takes 1 to 3
// bytes.

import type { Failure, ResidueLine } from '../core/fleet.ts';

/** Letters of a single message. */
const messageLimit = 2_000;

/** Items in one list or page. */
const pageLimit = 100;

const operationFailure = { text: 2_000, lines: 80, causes: 8, letters: 500 };
/** A controller repeats what AWS said after what itself was doing: fewer letters may end before the point. */
const stepFailure = { text: 1_000, lines: 48, causes: 6, letters: 500 };
const residueLimit = 200;

/** The text, cut to `limit` letters with a mark that it was. */
export function cutText(text: string, limit = messageLimit): string {
  return text.length > limit ? `${text.slice(0, limit - 1)}…` : text;
}

/** At most `limit` lines: the first and the last, since a root cause comes first and a console's end last. */
export function cutLines(lines: readonly string[], limit: number, letters = messageLimit): string[] {
  const cut = (part: readonly string[]) => part.map((line) => cutText(line, letters));
  if (lines.length <= limit) return cut(lines);
  const head = Math.ceil((limit - 1) / 2);
  const tail = limit - 1 - head;
  const left = lines.length - head - tail;
  return [...cut(lines.slice(0, head)), `… ${left} left out …`, ...cut(lines.slice(-tail))];
}

/** A failure that fits an operation's item. */
export function cutFailure(failure: Failure, of: 'operation' | 'step'): Failure {
  const limit = of === 'operation' ? operationFailure : stepFailure;
  return {
    ...failure,
    message: cutText(failure.message, limit.text),
    fix: cutText(failure.fix, limit.text),
    ...(failure.evidence && { evidence: cutLines(failure.evidence, limit.lines, limit.letters) }),
    ...(failure.causes && { causes: cutLines(failure.causes, limit.causes, limit.letters) }),
  };
}

/** What was left over, with at most 200 ids a kind. */
export function cutResidue(residue: readonly ResidueLine[]): ResidueLine[] {
  return residue.map((line) => ({
    ...line,
    found: cutLines(line.found, residueLimit),
  }));
}

/** How many items a page has when the caller asked for `limit`. */
export function pageSize(limit = pageLimit): number {
  return Math.max(1, Math.min(pageLimit, Math.floor(limit)));
}
