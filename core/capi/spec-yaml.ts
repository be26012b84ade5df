// From YAML text to plain values and the place of each. Anything of YAML that a spec has no use for, and that readers
// and parsers disagree about, is refused: anchors, aliases, tags, merge keys, several documents.

import {
  Composer,
  type CST,
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  Parser,
  type Scalar,
  type YAMLMap,
} from 'yaml';
import { type FieldPath, type SpecProblem, showPath, showText } from './spec-problem.ts';

export interface Place {
  readonly line: number;
  readonly column: number;
}

/** A value as it came in: plain data, and for a file where each part of it stands. */
export interface SpecSource {
  readonly value: unknown;
  /** Where a value begins; for a field without value, and with `key`, where its key begins. */
  place(path: FieldPath, of?: 'key'): Place | undefined;
  /** A scalar as it was written, for example `1.30` for the number 1.3. */
  written(path: FieldPath): string | undefined;
  /** Whether this field, or one around it, was already reported, so that its value says nothing. */
  isSettled(path: FieldPath): boolean;
}

/** The deepest field of a spec is at 5; what is nested deeper by far is an attack on the parser's stack. */
const maxDepth = 32;

interface Entry {
  readonly keyPlace: Place | undefined;
  readonly valuePlace: Place;
  readonly written: string | undefined;
}

/** Reads one YAML document. With problems of syntax there is nothing but them: the rest would be guesses. */
export function readYaml(text: string): { readonly source?: SpecSource; readonly problems: SpecProblem[] } {
  const lines = new LineCounter();
  const at = (offset: number): Place => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  const { documents, problems } = parseDocuments(text, lines, at);
  if (problems.length > 0) return { problems };
  const [document, second] = documents;
  if (document === undefined) {
    const fix = '`petra schema` and docs/spec.md show what a spec looks like';
    return { problems: [{ path: '', problem: 'is empty', expected: 'a Cluster', fix }] };
  }
  if (second !== undefined) {
    problems.push({
      path: '',
      ...at(second.contents?.range?.[0] ?? second.range[0]),
      problem: 'is a second document',
      expected: 'one Cluster per file',
      fix: 'put each into a file of its own',
    });
  }
  const reader = new Reader(at, problems);
  reader.checkVersion(document);
  const value = reader.read(document.contents, [], undefined);
  return { source: reader.source(value), problems };
}

function parseDocuments(text: string, lines: LineCounter, at: (offset: number) => Place) {
  const problems: SpecProblem[] = [];
  const documents: Document.Parsed[] = [];
  const composer = new Composer({
    version: '1.2',
    schema: 'core',
    merge: false,
    // The package compares every key with every other; Reader finds duplicates with a set.
    uniqueKeys: false,
    resolveKnownTags: false,
    prettyErrors: false,
    logLevel: 'silent',
  });
  const keep = (parsed: Iterable<Document.Parsed>) => {
    for (const document of parsed) {
      for (const error of document.errors) problems.push(syntaxProblem(error, at));
      if (!isBlank(document)) documents.push(document);
    }
  };
  for (const token of new Parser(lines.addNewLine).parse(text)) {
    // Composing recurses; the parser itself does not, so that depth can be looked at in between.
    const deep = findTooDeep(token);
    if (deep !== undefined) {
      problems.push({
        path: '',
        ...at(deep),
        problem: 'is nested too deeply',
        expected: `at most ${maxDepth} levels`,
      });
      return { documents, problems };
    }
    keep(composer.next(token));
    if (documents.length > 1) return { documents, problems };
  }
  keep(composer.end(true, text.length));
  return { documents, problems };
}

/** A document of nothing: before a first `---`, after a last one, or a file of comments. */
function isBlank(document: Document.Parsed): boolean {
  const contents: unknown = document.contents;
  return contents === null || (isScalar(contents) && contents.source === '' && contents.type === 'PLAIN');
}

function findTooDeep(root: CST.Token): number | undefined {
  const open: { token: CST.Token; depth: number }[] = [{ token: root, depth: 0 }];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { token, depth } = next;
    if (depth > maxDepth) return 'offset' in token ? token.offset : 0;
    if (token.type === 'document' && token.value) open.push({ token: token.value, depth });
    if (!('items' in token)) continue;
    for (const item of token.items) {
      if ('key' in item && item.key) open.push({ token: item.key, depth: depth + 1 });
      if (item.value) open.push({ token: item.value, depth: depth + 1 });
    }
  }
  return undefined;
}

const syntaxFixes: Readonly<Record<string, string>> = {
  TAB_AS_INDENT: 'indent with spaces',
  BLOCK_AS_IMPLICIT_KEY: 'check the indentation, and put values that contain `: ` in quotes',
  MULTILINE_IMPLICIT_KEY: 'check the indentation and that a `:` follows each key',
  BAD_SCALAR_START: 'put the value in quotes',
};

function syntaxProblem(
  error: { readonly code: string; readonly message: string; readonly pos: [number, number] },
  at: (offset: number) => Place,
): SpecProblem {
  const fix = syntaxFixes[error.code];
  return {
    path: '',
    ...at(error.pos[0]),
    problem: `is not valid YAML: ${showText(error.message, 160)}`,
    ...(fix === undefined ? {} : { fix }),
  };
}

class Reader {
  readonly #at: (offset: number) => Place;
  readonly #problems: SpecProblem[];
  readonly #entries = new Map<string, Entry>();
  readonly #settled = new Set<string>();

  constructor(at: (offset: number) => Place, problems: SpecProblem[]) {
    this.#at = at;
    this.#problems = problems;
  }

  /** Under YAML 1.1 the same text means something else (`yes`, `0o7`, `<<`). */
  checkVersion(document: Document.Parsed): void {
    const { version, explicit } = document.directives.yaml;
    if (explicit === true && version !== '1.2') {
      const fix = 'remove the `%YAML` line';
      this.#problems.push({
        path: '',
        line: 1,
        column: 1,
        problem: `asks for YAML ${version}`,
        expected: 'YAML 1.2',
        fix,
      });
    }
  }

  read(node: unknown, path: FieldPath, keyPlace: Place | undefined): unknown {
    const start = this.#at(startOf(node));
    const isBare = isScalar(node) && node.source === '' && node.type === 'PLAIN';
    this.#entries.set(JSON.stringify(path), {
      keyPlace,
      valuePlace: isBare ? (keyPlace ?? start) : start,
      written: isScalar(node) ? node.source : undefined,
    });
    if (isAlias(node)) {
      this.#refuse(path, start, 'is an alias', 'write the value itself, as often as it is needed');
      return undefined;
    }
    if (isMap(node)) {
      this.#checkProperties(node, path, start);
      return this.#readMap(node, path);
    }
    if (isSeq(node)) {
      this.#checkProperties(node, path, start);
      return node.items.map((item, index) => this.read(item, [...path, index], undefined));
    }
    if (!isScalar(node)) return null;
    this.#checkProperties(node, path, start);
    return isBare ? null : node.value;
  }

  #checkProperties(
    node: { anchor?: string | undefined; tag?: string | undefined },
    path: FieldPath,
    at: Place,
  ) {
    if (node.tag !== undefined) {
      this.#refuse(path, at, 'has a YAML tag', 'remove the `!` and what belongs to it');
    }
    // The value counts all the same: only what is meant to be repeated with it is missing.
    if (node.anchor !== undefined) {
      const fix = 'remove the `&` and what belongs to it';
      this.#problems.push({ path: showPath(path), ...at, problem: 'has a YAML anchor', fix });
    }
  }

  #refuse(path: FieldPath, at: Place, problem: string, fix: string): void {
    this.#problems.push({ path: showPath(path), ...at, problem, fix });
    this.#settled.add(JSON.stringify(path));
  }

  #readMap(map: YAMLMap<unknown, unknown>, path: FieldPath): unknown {
    // Without a prototype, `__proto__` is a key like any other.
    const value: Record<string, unknown> = Object.create(null);
    const first = new Map<string, Place>();
    for (const { key, value: node } of map.items) {
      const at = this.#at(startOf(key));
      if (!isScalar(key) || key.anchor !== undefined || key.tag !== undefined) {
        this.#refuseKey(path, at, 'has a key that is not plain text', 'write each key as a plain word');
        continue;
      }
      const name = keyText(key);
      const earlier = first.get(name);
      if (name === '<<' && key.type === 'PLAIN') {
        this.#refuseKey(path, at, 'uses the merge key `<<`', 'write the fields themselves');
      } else if (name === '') {
        this.#refuseKey(path, at, 'has an empty key', 'write the name of the field before the `:`');
      } else if (earlier !== undefined) {
        const problem = `is already given in line ${earlier.line}`;
        this.#problems.push({ path: showPath([...path, name]), ...at, problem, fix: 'keep one of them' });
      } else {
        first.set(name, at);
        value[name] = this.read(node, [...path, name], at);
      }
    }
    return value;
  }

  #refuseKey(path: FieldPath, at: Place, problem: string, fix: string): void {
    this.#problems.push({ path: showPath(path), ...at, problem, fix });
  }

  source(value: unknown): SpecSource {
    const entries = this.#entries;
    const settled = this.#settled;
    return {
      value,
      place(path, of) {
        const entry = entries.get(JSON.stringify(path));
        return of === 'key' ? (entry?.keyPlace ?? entry?.valuePlace) : entry?.valuePlace;
      },
      written: (path) => entries.get(JSON.stringify(path))?.written,
      isSettled: (path) =>
        settled.size > 0 &&
        Array.from({ length: path.length + 1 }, (_, length) => JSON.stringify(path.slice(0, length))).some(
          (outer) => settled.has(outer),
        ),
    };
  }
}

function startOf(node: unknown): number {
  return isScalar(node) || isMap(node) || isSeq(node) || isAlias(node) ? (node.range?.[0] ?? 0) : 0;
}

/** Keys are text, whatever YAML makes of them: `1:` is the key `1`, and `on:` was never a boolean. */
function keyText(key: Scalar<unknown>): string {
  return typeof key.value === 'string' ? key.value : (key.source ?? String(key.value));
}
