import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { errorCatalogue } from '../../core/errors.ts';
import type { FindingCode } from '../../core/fleet.ts';
import { ofType, synthesise } from '../cdk/synthesise.ts';

const page = readFileSync('docs/runbook.md', 'utf8');
const verbs = ['init', 'create', 'delete', 'destroy', 'reconcile'];

/** The finding codes: TypeScript refuses a list that is too long, and one that is too short. */
const findings = {
  ClusterGone: true,
  ClusterUnknown: true,
  ClusterEdited: true,
  ClusterUnhealthy: true,
  VersionDiffers: true,
  ManagementUnreachable: true,
  LockStale: true,
} satisfies Record<FindingCode, true>;

/** What is between the heading of a chapter and the next one. */
function chapter(title: string): string {
  return page.split(/^## /m).find((one) => one.startsWith(`${title}\n`)) ?? '';
}

/** Articles of a chapter by their headings. */
function articles(title: string): ReadonlyMap<string, string> {
  const parts = chapter(title).split(/^### /m).slice(1);
  return new Map(
    parts.map((part) => [part.slice(0, part.indexOf('\n')), part.slice(part.indexOf('\n') + 1)]),
  );
}

interface State {
  readonly Type: string;
  readonly ItemProcessor?: { readonly States: Readonly<Record<string, State>> };
}

/** States that can fail or that end in failure: a choice, a wait and a success cannot. */
function failingStates(verb: string): string[] {
  const visit = (states: Readonly<Record<string, State>>): string[] =>
    Object.entries(states).flatMap(([name, { Type, ItemProcessor }]) => [
      ...(['Task', 'Map', 'Parallel', 'Fail'].includes(Type) ? [name] : []),
      ...(ItemProcessor ? visit(ItemProcessor.States) : []),
    ]);
  return visit(JSON.parse(readFileSync(`state-machines/${verb}.asl.json`, 'utf8')).States);
}

const allStates = verbs.flatMap((verb) => failingStates(verb).map((state) => `${verb}: ${state}`));

/** The states that an article's heading is about: `delete, destroy: RemoveSecrets`. */
function statesIn(heading: string): string[] {
  const [of = '', states = ''] = heading.split(': ');
  return of.split(', ').flatMap((verb) => states.split(', ').map((state) => `${verb}: ${state}`));
}

/** Codes by state, from the tables of state-machines/README.md. */
function codesOfStates(): ReadonlyMap<string, readonly string[]> {
  const codes = new Map<string, readonly string[]>();
  const text = readFileSync('state-machines/README.md', 'utf8');
  for (const section of text.split(/^## /m).slice(1)) {
    const verb = section.slice(0, section.indexOf('\n'));
    for (const [, state = '', row = ''] of section.matchAll(/^\| `(\w+)` \|[^|]*\|([^|]*)\|/gm))
      codes.set(
        `${verb}: ${state}`,
        [...row.matchAll(/`(\w+)`/g)].map(([, code = '']) => code),
      );
  }
  return codes;
}

describe('docs/runbook.md', () => {
  test('has an article for each alarm of the stack, and for no other', () => {
    const alarms = [...ofType(synthesise(), 'AWS::CloudWatch::Alarm').values()].map(({ Properties }) =>
      String(Properties.AlarmName).replace(/^petra-/, ''),
    );
    expect([...articles('Alarms').keys()].toSorted()).toEqual(alarms.toSorted());
  });

  test('has one article for each state that can fail, and for no other', () => {
    const named = [...articles('States').keys()].flatMap(statesIn);
    expect(named.toSorted()).toEqual(allStates.toSorted());
  });

  test.each([...articles('States')])('%s names the errors of its states', (heading, text) => {
    const known = codesOfStates();
    const missing = statesIn(heading)
      .flatMap((state) => known.get(state) ?? [])
      .filter((code) => !text.includes(`\`${code}\``));
    expect(missing).toEqual([]);
  });

  test('says something of each finding', () => {
    const named = [...chapter('Findings').matchAll(/^\| `(\w+)` \|/gm)].map(([, code]) => code);
    expect(named.toSorted()).toEqual(Object.keys(findings).toSorted());
  });

  test('explains each error that is not its reader’s own', () => {
    // Of a local Petra, and of a command that has no Petra or stopped waiting: docs/errors.md is enough.
    const elsewhere = ['LocalStartFailed', 'PetraUnreachable', 'WaitTimedOut'];
    const missing = Object.entries(errorCatalogue)
      .filter(([code, { source }]) => source !== 'user' && !elsewhere.includes(code))
      .filter(([code]) => !page.includes(`\`${code}\``));
    expect(missing.map(([code]) => code)).toEqual([]);
  });

  test('names no error, state, finding or metric that does not exist', () => {
    const known = new Set([
      ...Object.keys(errorCatalogue),
      ...Object.keys(findings),
      ...allStates.map((state) => state.split(': ')[1]),
      // A metric of Petra's, one of AWS's, and an error of EC2's.
      ...['FailedReconciliations', 'CallCount', 'UnauthorizedOperation'],
    ]);
    const named = [...new Set([...page.matchAll(/`([A-Z][a-z]+[A-Z]\w+)`/g)].map(([, word = '']) => word))];
    expect(named.length).toBeGreaterThan(50);
    expect(named.filter((word) => !known.has(word))).toEqual([]);
  });
});

describe.each(['docs/runbook.md', 'docs/deploy.md', 'docs/security.md'])('%s', (file) => {
  const text = readFileSync(file, 'utf8');
  const commands = readFileSync('docs/cli.md', 'utf8').split(/^### /m);

  test('shows only commands and options of petra that exist', () => {
    const unknown = [
      ...text.matchAll(/\bpetra ((?:capi |config |local )?[a-z][a-z-]+)((?: [^\n`|;#]+)?)/g),
    ].flatMap(([, command = '', rest = '']) => {
      const section = commands.find((one) => one.startsWith(`petra ${command}\n`));
      if (section === undefined) return /^(capi|config|local) /.test(command) ? [command] : [];
      const known = new Set(section.match(/--?[\w-]+/g));
      const options = [...rest.matchAll(/(?<= )--?\w[\w-]*/g)].map(([option]) => option);
      return options.filter((option) => !known.has(option)).map((option) => `${command} ${option}`);
    });
    expect(unknown).toEqual([]);
  });

  test('shows only scripts of package.json', () => {
    const { scripts } = JSON.parse(readFileSync('package.json', 'utf8'));
    for (const [, name = ''] of text.matchAll(/\bnpm run ([a-z-]+)/g)) expect(scripts).toHaveProperty(name);
  });
});
