// What the operators of `${NAME…}` do to a value, as github.com/drone/envsubst v2 does it.
// Three differences, each where that engine breaks: a class such as `[a-z]` and a backslash work in `%` patterns
// (it reverses the pattern's text, so they never match), pattern matching counts characters instead of bytes, and a
// negative length is an error (it panics).

import { PetraError } from '../errors.ts';

/** Applies an operator. `arguments_` are the operator's own, already substituted. */
export function applyOperator(operator: string, value: string, arguments_: readonly string[]): string {
  const [first = '', second] = arguments_;
  switch (operator) {
    case 'length':
      return String(new TextEncoder().encode(value).length);
    case '^':
      return mapCharacters(value, upperCase, 1);
    case '^^':
      return mapCharacters(value, upperCase);
    case ',':
      return mapCharacters(value, lowerCase, 1);
    case ',,':
      return mapCharacters(value, lowerCase);
    case ':':
      return substring(value, first, second);
    case '#':
      return value.slice(matches(first, value)[0] ?? 0);
    case '##':
      return value.slice(matches(first, value).at(-1) ?? 0);
    case '%':
      return value.slice(0, value.length - (matches(first, value, 'end')[0] ?? 0));
    case '%%':
      return value.slice(0, value.length - (matches(first, value, 'end').at(-1) ?? 0));
    case '/':
      // A function as replacement: in a string, `$&` and the like would be expanded.
      return value.replace(first, () => second ?? '');
    case '//':
      return value.replaceAll(first, () => second ?? '');
    case '/#':
      return second !== undefined && value.startsWith(first) ? second + value.slice(first.length) : value;
    case '/%':
      return second !== undefined && value.endsWith(first)
        ? value.slice(0, value.length - first.length) + second
        : value;
    default:
      // Plain, and every kind of default: they apply to unset and to empty alike.
      return value === '' ? arguments_.join('') : value;
  }
}

function mapCharacters(value: string, map: (character: string) => string, limit = Infinity): string {
  return [...value].map((character, index) => (index < limit ? map(character) : character)).join('');
}

// Go maps one character to one; JavaScript would turn ß into SS.
function upperCase(character: string): string {
  const upper = character.toUpperCase();
  return [...upper].length === 1 ? upper : character;
}

// And İ is one i in Go, an i and a combining dot in JavaScript.
function lowerCase(character: string): string {
  return character.toLowerCase().slice(0, character.length);
}

function substring(value: string, offsetText: string, lengthText: string | undefined): string {
  const offset = wholeNumber(offsetText);
  if (offset === undefined) return value;
  const bytes = new TextEncoder().encode(value);
  const start = offset < 0 ? Math.max(0, bytes.length + offset) : offset;
  if (lengthText === undefined) return new TextDecoder().decode(bytes.subarray(start));
  const length = wholeNumber(lengthText);
  if (length === undefined) return value;
  if (length < 0 && start + length < bytes.length) {
    throw new PetraError('ReleaseCorrupt', `a variable's substring has the negative length ${length}`);
  }
  return new TextDecoder().decode(bytes.subarray(start, start + length));
}

function wholeNumber(text: string): number | undefined {
  return /^[+-]?[0-9]{1,18}$/.test(text) ? Number(text) : undefined;
}

type GlobToken = '*' | ((character: string) => boolean);

/**
 * Lengths (in UTF-16 units, ascending, never 0) of the beginnings or ends of the value that the pattern matches.
 * One pass over the value with the set of reachable pattern positions, so a pattern full of `*` costs no more.
 */
function matches(pattern: string, value: string, side: 'start' | 'end' = 'start'): readonly number[] {
  const tokens = parseGlob(pattern);
  // A malformed pattern leaves the value as it is.
  if (tokens === undefined) return [];
  const characters = [...value];
  if (side === 'end') {
    tokens.reverse();
    characters.reverse();
  }
  const lengths: number[] = [];
  let length = 0;
  let positions = withSkippedStars(tokens, new Set([0]));
  for (const character of characters) {
    const next = new Set<number>();
    for (const position of positions) {
      const token = tokens[position];
      if (token === '*') next.add(position);
      else if (token?.(character)) next.add(position + 1);
    }
    positions = withSkippedStars(tokens, next);
    length += character.length;
    if (positions.has(tokens.length)) lengths.push(length);
    if (positions.size === 0) break;
  }
  return lengths;
}

function withSkippedStars(tokens: readonly GlobToken[], positions: Set<number>): Set<number> {
  // A Set visits what is added while it is walked.
  for (const position of positions) if (tokens[position] === '*') positions.add(position + 1);
  return positions;
}

function parseGlob(pattern: string): GlobToken[] | undefined {
  const tokens: GlobToken[] = [];
  const characters = [...pattern];
  for (let at = 0; at < characters.length; at++) {
    const character = characters[at];
    if (character === '*') tokens.push('*');
    else if (character === '?') tokens.push(() => true);
    else if (character === '[') {
      const parsed = parseClass(characters, at + 1);
      if (parsed === undefined) return undefined;
      tokens.push(parsed.token);
      at = parsed.end;
    } else {
      const literal = character === '\\' ? characters[++at] : character;
      if (literal === undefined) return undefined;
      tokens.push((other) => other === literal);
    }
  }
  return tokens;
}

/** A class from after its `[`; `end` is the index of its `]`. */
function parseClass(
  characters: readonly string[],
  start: number,
): { readonly token: GlobToken; readonly end: number } | undefined {
  const negated = characters[start] === '^';
  let at = negated ? start + 1 : start;
  const ranges: (readonly [low: string, high: string])[] = [];
  while (characters[at] !== ']' || ranges.length === 0) {
    const low = classCharacter(characters, at);
    if (low === undefined) return undefined;
    at = low.next;
    let high = low;
    if (characters[at] === '-') {
      const end = classCharacter(characters, at + 1);
      if (end === undefined) return undefined;
      high = end;
      at = end.next;
    }
    ranges.push([low.character, high.character]);
  }
  const inRange = (character: string) => ranges.some(([low, high]) => low <= character && character <= high);
  return { token: (character) => inRange(character) !== negated, end: at };
}

function classCharacter(
  characters: readonly string[],
  at: number,
): { readonly character: string; readonly next: number } | undefined {
  if (characters[at] === '-' || characters[at] === ']') return undefined;
  const escaped = characters[at] === '\\';
  const character = characters[escaped ? at + 1 : at];
  return character === undefined ? undefined : { character, next: at + (escaped ? 2 : 1) };
}
