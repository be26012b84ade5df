// Plain values against the schema and the rules between fields, with every problem explained.

import { nearest } from '../nearest-word.ts';
import { type FieldSchema, findField, listFields } from './spec-fields.ts';
import { type FieldPath, hiddenValue, type SpecProblem, showPath, showValue } from './spec-problem.ts';
import { type BrokenRule, brokenRules, type SpecExpectation, valueAt } from './spec-rules.ts';
import { type ClusterSpec, clusterSchema } from './spec-schema.ts';
import * as syntax from './spec-syntax.ts';
import type { SpecSource } from './spec-yaml.ts';

/** The completed spec, or everything that is wrong with it, in no particular order. */
export function checkSpec(
  source: SpecSource,
  expect: SpecExpectation,
  file: string,
): { readonly spec?: ClusterSpec; readonly problems: readonly SpecProblem[] } {
  const result = clusterSchema.safeParse(source.value);
  const explainer = new Explainer(source);
  if (!result.success) for (const issue of result.error.issues) explainer.addIssue(issue);
  for (const rule of brokenRules(source.value, expect, file)) explainer.addRule(rule);
  return result.success && explainer.problems.length === 0
    ? { spec: result.data, problems: [] }
    : { problems: explainer.problems };
}

const release = 'capiVersion capaVersion cabpK3sVersion cacpK3sVersion certManagerVersion'.split(' ');

const syntaxes: ReadonlyMap<string, syntax.Syntax> = new Map([
  ['metadata.name', syntax.clusterName],
  ['spec.kubernetes.version', syntax.k3sVersion],
  ['spec.target.region', syntax.region],
  ['spec.target.network.vpcId', syntax.vpcId],
  ['spec.target.network.subnetIds[]', syntax.subnetId],
  ['spec.nodes.controlPlane.instanceType', syntax.instanceType],
  ['spec.nodes.workers.instanceType', syntax.instanceType],
  ...release.map((name): [string, syntax.Syntax] => [`spec.management.${name}`, syntax.releaseVersion]),
]);

type Issue = Extract<
  ReturnType<typeof clusterSchema.safeParse>,
  { success: false }
>['error']['issues'][number];

class Explainer {
  readonly problems: SpecProblem[] = [];
  readonly #source: SpecSource;
  readonly #explained = new Set<string>();
  /** Fields that are missing because their name is misspelt; that was said already. */
  readonly #misspelt = new Set<string>();

  constructor(source: SpecSource) {
    this.#source = source;
    // Unknown keys come after missing ones in the schema's own list, but decide whether those are worth saying.
    this.#findMisspelt(source.value, []);
  }

  #findMisspelt(value: unknown, path: FieldPath): void {
    const properties = findField(path)?.properties;
    if (properties === undefined || typeof value !== 'object' || value === null) return;
    for (const key of Object.keys(value)) {
      if (Object.hasOwn(properties, key)) this.#findMisspelt(valueAt(value, [key]), [...path, key]);
      else {
        const meant = nearest(key, Object.keys(properties));
        if (meant !== undefined && !Object.hasOwn(value, meant))
          this.#misspelt.add(showPath([...path, meant]));
      }
    }
  }

  addIssue(issue: Issue): void {
    const path = issue.path.map((key) => (typeof key === 'number' ? key : String(key)));
    if (this.#source.isSettled(path)) return;
    if (issue.code === 'unrecognized_keys') {
      for (const key of issue.keys) this.#addUnknownKey([...path, key]);
      return;
    }
    const shown = showPath(path);
    // One field can break several checks of the schema (pattern and length); it is explained once.
    if (this.#explained.has(shown) || this.#misspelt.has(shown)) return;
    this.#explained.add(shown);
    const value = valueAt(this.#source.value, path);
    if (value === undefined && path.length > 0) this.#addMissing(path);
    else this.#addWrongValue(path, value);
  }

  addRule({ path, at, ...said }: BrokenRule): void {
    const shown = showPath(path);
    if (this.#source.isSettled(path) || this.#misspelt.has(shown)) return;
    const place = this.#place(path, at === 'key' ? 'key' : undefined);
    const value = at === 'field' ? this.#show(path, valueAt(this.#source.value, path)) : undefined;
    this.problems.push({ path: shown, ...place, ...(value === undefined ? {} : { value }), ...said });
  }

  /** Where a field is or, when it is not there, where the nearest field around it begins. */
  #place(path: FieldPath, of?: 'key') {
    const own = this.#source.place(path, of);
    if (own !== undefined) return own;
    for (let length = path.length - 1; length >= 0; length--) {
      const outer = this.#source.place(path.slice(0, length), 'key');
      if (outer !== undefined) return outer;
    }
    return {};
  }

  #addMissing(path: FieldPath): void {
    const expected = expectation(path);
    this.problems.push({
      path: showPath(path),
      ...this.#place(path),
      problem: 'is missing',
      ...(expected === undefined ? {} : { expected }),
    });
  }

  #addUnknownKey(path: FieldPath): void {
    const outer = path.slice(0, -1);
    const key = String(path.at(-1));
    const siblings = Object.keys(findField(outer)?.properties ?? {});
    const meant = nearest(key, siblings);
    const elsewhere = listFields()
      .map((field) => field.path)
      .filter((known) => known.endsWith(`.${key}`));
    const fix =
      meant !== undefined
        ? `did you mean \`${meant}\`?`
        : elsewhere.length === 1
          ? `it belongs in \`${elsewhere[0]?.slice(0, -key.length - 1)}\``
          : undefined;
    this.problems.push({
      path: showPath(path),
      ...this.#place(path, 'key'),
      problem: showPath(outer) === 'spec.addons' ? 'is not an addon of Petra' : 'is not a known field',
      expected: oneOf(siblings),
      ...(fix === undefined ? {} : { fix }),
    });
  }

  #addWrongValue(path: FieldPath, value: unknown): void {
    const shown = this.#show(path, value);
    const expected = expectation(path);
    const { problem, fix } = explain(path, value, this.#source.written(path));
    // A suggestion is made from the value, and would give away what the value itself must not.
    const isTold = fix !== undefined && shown !== hiddenValue;
    this.problems.push({
      path: showPath(path),
      ...this.#place(path),
      ...(shown === undefined ? {} : { value: shown }),
      problem,
      ...(expected === undefined ? {} : { expected }),
      ...(isTold ? { fix } : {}),
    });
  }

  #show(path: FieldPath, value: unknown): string | undefined {
    if (typeof value === 'string') {
      // Where text is wrong as such, quotes show that it is text.
      const shown = showValue(value);
      return findField(path)?.type === 'string' || shown === hiddenValue ? shown : `"${shown}"`;
    }
    if (value === null || value === undefined || typeof value === 'object') return undefined;
    return showValue(this.#source.written(path) ?? String(value));
  }
}

function findSyntax(path: FieldPath): syntax.Syntax | undefined {
  return syntaxes.get(showPath(path).replaceAll(/\[\d+\]/g, '[]'));
}

function explain(path: FieldPath, value: unknown, written: string | undefined): syntax.Explanation {
  const field = findField(path) ?? {};
  if (value === null || value === undefined) return { problem: 'is empty' };
  const found = kindOf(value);
  const wanted = field.type === 'integer' ? 'number' : field.type;
  if (found !== wanted) return explainKind(path, field, value, written);
  if (typeof value === 'string') {
    const said = findSyntax(path)?.explain(value);
    if (said !== undefined) return said;
    const meant = nearest(value.slice(0, 64), allowedValues(field).map(String));
    return { problem: 'is not known', ...(meant === undefined ? {} : { fix: `did you mean \`${meant}\`?` }) };
  }
  if (typeof value === 'number') {
    return { problem: Number.isInteger(value) ? 'is out of range' : 'is not a whole number' };
  }
  if (Array.isArray(value))
    return { problem: value.length === 0 ? 'is an empty list' : 'has too many items' };
  return { problem: 'is not right' };
}

const kindNames: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a mapping',
};

function kindOf(value: unknown): string {
  return Array.isArray(value) ? 'array' : typeof value;
}

function explainKind(
  path: FieldPath,
  field: FieldSchema,
  value: unknown,
  written: string | undefined,
): syntax.Explanation {
  const kind = kindNames[kindOf(value)] ?? 'something else';
  const problem = kindOf(value) === 'boolean' ? 'is a truth value' : `is ${kind}`;
  const fix = fixKind(path, field, value, written ?? (typeof value === 'object' ? '' : String(value)));
  return fix === undefined ? { problem } : { problem, fix };
}

function fixKind(path: FieldPath, field: FieldSchema, value: unknown, written: string): string | undefined {
  const isScalar = typeof value !== 'object';
  if (field.type === 'string' && isScalar) {
    const known = findSyntax(path);
    const right = known ? known.pattern.test(written) && written.length <= known.maxLength : false;
    return right ? `put it in quotes: "${written}"` : known?.explain(written).fix;
  }
  if (field.type === 'integer' && typeof value === 'string' && /^\s*-?\d{1,9}\s*$/.test(value)) {
    return `write ${Number(value)} without quotes`;
  }
  if (field.type === 'boolean' && typeof value === 'string') {
    if (/^(true|yes|on|y)$/i.test(value)) return 'write true, without quotes';
    if (/^(false|no|off|n)$/i.test(value)) return 'write false, without quotes';
  }
  if (field.properties && Object.hasOwn(field.properties, 'enabled') && typeof value === 'boolean') {
    return `write {enabled: ${value}}`;
  }
  if (field.type === 'array' && typeof value === 'string') return 'write it as a list of one';
  return undefined;
}

/** Completes "expected …" for a field. */
function expectation(path: FieldPath): string | undefined {
  const field = findField(path);
  if (field === undefined) return undefined;
  const known = findSyntax(path);
  if (known !== undefined) return known.expected;
  const allowed = allowedValues(field);
  if (allowed.length > 0) return oneOf(allowed.map(String));
  if (field.type === 'integer') return `a whole number from ${field.minimum} to ${field.maximum}`;
  if (field.type === 'array') return `a list of ${field.minItems} to ${field.maxItems}`;
  if (field.properties) return `a mapping with ${Object.keys(field.properties).join(', ')}`;
  return field.type === 'boolean' ? 'true or false' : undefined;
}

function allowedValues(field: FieldSchema): readonly unknown[] {
  return field.const === undefined ? (field.enum ?? []) : [field.const];
}

function oneOf(words: readonly string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;
}
