import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { errorCatalogue } from '../../core/errors.ts';
import { phaseDuring, type Verb } from '../../core/fleet.ts';
import { readStateMachine } from '../../local/workflows.ts';

const page = readFileSync('docs/architecture.md', 'utf8');
const verbs: readonly Verb[] = ['init', 'create', 'delete', 'destroy'];
const quoted = [...page.replaceAll(/^```[\s\S]*?^```$/gm, '').matchAll(/`([^`\n]+)`/g)].map(
  (match) => match[1] ?? '',
);

function statesOf(verb: Verb): string[] {
  return Object.keys((readStateMachine(verb) as { readonly States: object }).States);
}

function reconcileStates(): string[] {
  const { States } = readStateMachine('reconcile') as {
    readonly States: Readonly<Record<string, { readonly ItemProcessor?: { readonly States: object } }>>;
  };
  return Object.entries(States).flatMap(([name, state]) => [
    name,
    ...Object.keys(state.ItemProcessor?.States ?? {}),
  ]);
}

/** Names that a source file exports, or declares as a function: what the page may name. */
function namesInCode(): Set<string> {
  const names = new Set<string>();
  for (const folder of ['core', 'adapters', 'local', 'cli']) {
    for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile() || !entry.name.endsWith('.ts')) continue;
      const text = readFileSync(path.join(entry.parentPath, entry.name), 'utf8');
      for (const match of text.matchAll(
        /^(?:export )?(?:async )?(?:class|interface|type|const|function) (\w+)/gm,
      ))
        names.add(match[1] ?? '');
    }
  }
  return names;
}

const paths = quoted.filter((text) => /^[\w.-]+\/[\w./-]*$/.test(text));
const words = [...new Set(quoted.filter((text) => /^[A-Z][a-z]+[A-Z]?[A-Za-z]*\??$/.test(text)))];
const functions = [...new Set(quoted.filter((text) => /^[a-z]+[A-Z]\w*$/.test(text)))];

describe('docs/architecture.md', () => {
  test.each([...new Set(paths)])('names a path that exists: %s', (file) => {
    expect(existsSync(file)).toBe(true);
  });

  test('names no state, error, phase or type that does not exist', () => {
    const known = new Set([
      ...verbs.flatMap(statesOf),
      ...reconcileStates(),
      ...Object.keys(errorCatalogue),
      ...Object.values(phaseDuring),
      ...namesInCode(),
      // Phases that no verb has while it runs, an operation's last status, a phase of Cluster API, and HTTP headers.
      ...['Ready', 'Failed', 'Deleted', 'Abandoned', 'Provisioned', 'Host', 'Origin'],
    ]);
    expect(words.length).toBeGreaterThan(50);
    expect(words.filter((word) => !known.has(word))).toEqual([]);
  });

  test('names no function or constant that does not exist', () => {
    const known = new Set([...namesInCode(), 'expiresAt']);
    expect(functions.filter((name) => !known.has(name))).toEqual([]);
  });

  test.each(verbs)('goes through the states of %s in their order', (verb) => {
    const section = page.split(/^#{2,3} /m).find((one) => one.startsWith(`${verb}\n`)) ?? '';
    const named = [...new Set([...section.matchAll(/`([A-Z]\w+\??)`/g)].map((match) => match[1] ?? ''))];
    const ofEveryVerb = ['RecordFailure', 'OperationFailed', 'OperationSucceeded'];
    const states = statesOf(verb).filter((state) => !ofEveryVerb.includes(state));
    const inTable = new Set(states);
    expect(named.filter((name) => inTable.has(name)).toSorted()).toEqual(states.toSorted());
    expect(named.filter((name) => inTable.has(name) && !/\?$|^Wait/.test(name))).toEqual(
      states.filter((name) => !/\?$|^Wait/.test(name)),
    );
  });
});

describe('CONTRIBUTING.md', () => {
  const quotedPaths = [...readFileSync('CONTRIBUTING.md', 'utf8').matchAll(/`([\w.-]+\/[\w./-]*)`/g)].map(
    (match) => match[1] ?? '',
  );

  test.each([...new Set(quotedPaths)])('names a path that exists: %s', (file) => {
    expect(existsSync(file)).toBe(true);
  });
});
