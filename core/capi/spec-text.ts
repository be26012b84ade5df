// From the bytes of a file to text: size, encoding and control characters, before any parser sees them.

import type { SpecProblem } from './spec-problem.ts';

/** A spec has some forty lines; this is a hundred times as much, and little enough to bound every later step. */
const maxSpecBytes = 64 * 1024;

/** The text of a file, or what is wrong with its bytes. A byte order mark of UTF-8 is taken off. */
export function readSpecText(
  source: Uint8Array | string,
): { readonly text: string } | { readonly problems: readonly SpecProblem[] } {
  // A string of more UTF-16 units than the limit has more bytes than that, too: no need to encode it.
  if (source.length > maxSpecBytes) return tooLarge(source.length);
  const bytes = typeof source === 'string' ? new TextEncoder().encode(source) : source;
  if (bytes.length > maxSpecBytes) return tooLarge(bytes.length);
  const encoding = foreignEncoding(bytes);
  if (encoding !== undefined) {
    return oneProblem({
      path: '',
      problem: `is ${encoding}`,
      expected: 'UTF-8',
      fix: 'save the file as UTF-8',
    });
  }
  const text = new TextDecoder().decode(bytes);
  const nul = text.indexOf('\0');
  if (nul !== -1) {
    return oneProblem({
      path: '',
      ...placeOf(text, nul),
      problem: 'contains a NUL byte: the file is binary, or in another encoding',
      expected: 'YAML or JSON in UTF-8',
    });
  }
  const invalid = firstInvalidByte(bytes, text);
  if (invalid !== undefined) {
    return oneProblem({
      path: '',
      ...placeOf(new TextDecoder().decode(bytes.subarray(0, invalid)), Number.POSITIVE_INFINITY),
      problem: 'contains bytes that are not UTF-8',
      expected: 'UTF-8',
      fix: 'save the file as UTF-8',
    });
  }
  const control = controlCharacters(text);
  return control.length === 0 ? { text } : { problems: control };
}

function oneProblem(problem: SpecProblem) {
  return { problems: [problem] };
}

function tooLarge(size: number) {
  return oneProblem({
    path: '',
    problem: `is too large (${size} bytes)`,
    expected: `at most ${maxSpecBytes} bytes`,
    fix: 'check that this is the right file',
  });
}

function foreignEncoding(bytes: Uint8Array): string | undefined {
  const [a, b, c, d] = bytes;
  if (a === 0xff && b === 0xfe) return c === 0 && d === 0 ? 'UTF-32' : 'UTF-16';
  if (a === 0xfe && b === 0xff) return 'UTF-16';
  if (a === 0 && b === 0 && c === 0xfe && d === 0xff) return 'UTF-32';
  return undefined;
}

/** Decoding replaces wrong bytes; encoding the result again shows where it first departed from the original. */
function firstInvalidByte(bytes: Uint8Array, text: string): number | undefined {
  const again = new TextEncoder().encode(text);
  const mark = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
  for (let index = mark; index < bytes.length; index++) {
    if (bytes[index] !== again[index - mark]) return index;
  }
  return undefined;
}

function controlCharacters(text: string): SpecProblem[] {
  const problems: SpecProblem[] = [];
  // YAML allows only these three of the C0 controls, and of the others neither DEL nor most of C1.
  for (const match of text.matchAll(/[^\t\n\r\u0020-\u007e\u0085\u00a0-\u{10ffff}]/gu)) {
    const code = match[0].charCodeAt(0).toString(16).toUpperCase().padStart(4, '0');
    problems.push({
      path: '',
      ...placeOf(text, match.index),
      problem: `contains the control character U+${code}`,
    });
    if (problems.length === 20) break;
  }
  return problems;
}

function placeOf(text: string, offset: number): { readonly line: number; readonly column: number } {
  const before = text.slice(0, offset).split('\n');
  return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
}
