// Fills `${VARIABLES}` into a provider's manifest the way clusterctl does: the syntax of github.com/drone/envsubst v2
// (compared with that engine over some hundred thousand generated expressions), plus clusterctl's own `${ NAME }`.
// One pass, in time proportional to the text. Two differences: `}` ends a pattern of `${V/pattern/text}` (that engine
// reads on to the next slash of the file), and `$${ V }` keeps its blanks.

import { PetraError } from '../errors.ts';
import { applyOperator } from './envsubst-functions.ts';

interface Expression {
  readonly name: string;
  readonly operator: string;
  readonly arguments: readonly Part[];
}

type Part = string | Expression;

interface Cursor {
  readonly text: string;
  /** Named in messages. */
  readonly source: string;
  at: number;
  depth: number;
}

/** Far more than any manifest nests; keeps a hostile one from exhausting the stack. */
const deepestNesting = 100;

/**
 * The text with every expression replaced. A value is inserted as it is: what looks like a variable in it stays.
 * As in clusterctl, the first use of a name decides whether it needs a value (one with a default or other argument
 * does not), a name inside another's default never does, and both are then empty.
 * @throws VariablesMissing with all names that have neither value nor default, ReleaseCorrupt for wrong syntax
 */
export function substitute(
  text: string,
  variables: Readonly<Record<string, string>>,
  source = 'the manifest',
): string {
  const parts = parseTemplate({ text, source, at: 0, depth: 0 });
  const missing = missingNames(parts, variables);
  if (missing.length > 0) {
    throw new PetraError('VariablesMissing', `${source} needs values for ${missing.join(', ')}`, {
      details: { variables: missing },
    });
  }
  return parts.map((part) => evaluate(part, variables)).join('');
}

function missingNames(parts: readonly Part[], variables: Readonly<Record<string, string>>): string[] {
  const defaults = new Map<string, string>();
  for (const part of parts) {
    if (typeof part === 'string' || defaults.has(part.name)) continue;
    const written = part.arguments.map((argument) =>
      typeof argument === 'string' ? argument : argument.name,
    );
    defaults.set(part.name, written.join(''));
  }
  return [...defaults]
    .filter(([name, written]) => written === '' && !Object.hasOwn(variables, name))
    .map(([name]) => name)
    .sort();
}

function evaluate(part: Part, variables: Readonly<Record<string, string>>): string {
  if (typeof part === 'string') return part;
  const value = Object.hasOwn(variables, part.name) ? variables[part.name] : undefined;
  return applyOperator(
    part.operator,
    value ?? '',
    part.arguments.map((argument) => evaluate(argument, variables)),
  );
}

function parseTemplate(cursor: Cursor): readonly Part[] {
  const { text } = cursor;
  const parts: Part[] = [];
  let from = 0;
  for (let dollar = text.indexOf('$'); dollar !== -1; dollar = text.indexOf('$', cursor.at)) {
    cursor.at = dollar + 1;
    if (text[dollar + 1] === '$') {
      // Two dollars are one that starts nothing.
      parts.push(text.slice(from, dollar + 1));
      from = cursor.at = dollar + 2;
    } else if (text[dollar + 1] === '{') {
      parts.push(text.slice(from, dollar));
      cursor.at = dollar + 2;
      parts.push(parseExpression(cursor));
      from = cursor.at;
    }
  }
  parts.push(text.slice(from));
  return parts;
}

/** From after `${` to after its `}`. */
function parseExpression(cursor: Cursor): Expression {
  if (++cursor.depth > deepestNesting) fail(cursor, `variables are nested more than ${deepestNesting} deep`);
  const expression = parsePlain(cursor) ?? parseLength(cursor) ?? parseOperation(cursor);
  cursor.depth--;
  return expression;
}

function parsePlain(cursor: Cursor): Expression | undefined {
  const name = take(cursor, /[ \t\n\f\r]*([\p{L}\p{Nd}_]+)[ \t\n\f\r]*\}/uy);
  return name === undefined ? undefined : { name, operator: '', arguments: [] };
}

function parseLength(cursor: Cursor): Expression | undefined {
  const name = take(cursor, /#([\p{L}\p{Nd}_]+)\}/uy);
  return name === undefined ? undefined : { name, operator: 'length', arguments: [] };
}

function parseOperation(cursor: Cursor): Expression {
  const name = take(cursor, /([\p{L}\p{Nd}_]+)/uy) ?? fail(cursor, 'expected the name of a variable');
  const operator =
    take(cursor, /(:[-=?+]|:|=|[,^]{1,2}|##?|%%?|\/[/#%]?)/y) ?? fail(cursor, `expected } after ${name}`);
  const arguments_ = parseArguments(cursor, operator);
  if (cursor.text[cursor.at] !== '}') fail(cursor, `expected } to end \${${name}${operator}`);
  cursor.at++;
  return { name, operator, arguments: arguments_ };
}

function parseArguments(cursor: Cursor, operator: string): readonly Part[] {
  switch (operator[0]) {
    case ',':
    case '^':
      return [];
    case '#':
    case '%':
      return [parseArgument(cursor, '}')];
    case '/': {
      const pattern = parseArgument(cursor, '/}', 'escapes');
      take(cursor, /(\/+)/y) ?? fail(cursor, 'expected / after the pattern');
      return cursor.text[cursor.at] === '}' ? [pattern] : [pattern, parseArgument(cursor, '}', 'escapes')];
    }
    default:
      return operator === ':' ? parseSubstring(cursor) : parseDefault(cursor);
  }
}

function parseSubstring(cursor: Cursor): readonly Part[] {
  const offset = parseArgument(cursor, ':}');
  return take(cursor, /(:+)/y) === undefined ? [offset] : [offset, parseArgument(cursor, '}')];
}

function parseDefault(cursor: Cursor): readonly Part[] {
  const parts: Part[] = [];
  while (cursor.text[cursor.at] !== '}') parts.push(parseArgument(cursor, '}'));
  return parts;
}

/** One nested expression, or text up to a stop character or the next expression. */
function parseArgument(cursor: Cursor, stops: string, escapes?: 'escapes'): Part {
  if (cursor.text.startsWith('${', cursor.at)) {
    cursor.at += 2;
    return parseExpression(cursor);
  }
  const { text } = cursor;
  let value = '';
  while (cursor.at < text.length) {
    const pair = text.slice(cursor.at, cursor.at + 2);
    if (pair === '${' || stops.includes(pair.charAt(0))) break;
    const escaped = escapes !== undefined && ['$$', '\\/', '\\\\'].includes(pair);
    value += escaped ? pair.charAt(1) : pair.charAt(0);
    cursor.at += escaped ? 2 : 1;
  }
  if (value === '') fail(cursor, 'a variable has an empty or unfinished argument');
  return value;
}

/** Moves past a match at the cursor and returns its first group. */
function take(cursor: Cursor, sticky: RegExp): string | undefined {
  sticky.lastIndex = cursor.at;
  const match = sticky.exec(cursor.text);
  if (match === null) return undefined;
  cursor.at += match[0].length;
  return match[1];
}

function fail(cursor: Cursor, reason: string): never {
  const line = cursor.text.slice(0, cursor.at).split('\n').length;
  throw new PetraError('ReleaseCorrupt', `${cursor.source}, line ${line}: ${reason}`, {
    fix: 'Write $${ for a dollar and brace that start no variable, or get the file from upstream again.',
  });
}
