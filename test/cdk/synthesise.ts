// The stack as CloudFormation gets it, without a build: each function's bundle is a stand-in of one line.

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { App } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { type FunctionActions, readFunctionActions } from '../../cdk/function-actions.ts';
import { PetraStack } from '../../cdk/petra-stack.ts';
import { readSettings } from '../../cdk/settings.ts';

/** The checks of the CDK itself take longer than all the rest; test/cdk/validators.test.ts has better ones. */
process.env.CDK_VALIDATION = 'false';

export interface Resource {
  readonly Type: string;
  readonly Properties: Readonly<Record<string, unknown>>;
  readonly DeletionPolicy?: string;
  readonly UpdateReplacePolicy?: string;
}

export interface Synthesised {
  readonly app: App;
  readonly stack: PetraStack;
  readonly template: Template;
  readonly resources: Readonly<Record<string, Resource>>;
  readonly text: string;
}

export const functionActions: FunctionActions = readFunctionActions();

const folder = mkdtempSync(path.join(tmpdir(), 'petra-cdk-'));
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
const bundles = path.join(folder, 'bundles');
for (const name of Object.keys(functionActions)) {
  mkdirSync(path.join(bundles, name), { recursive: true });
  writeFileSync(path.join(bundles, name, 'index.mjs'), `export const handler = async () => '${name}';\n`);
}

let count = 0;

/** With the context as the command line would give it. */
export function synthesise(context: Readonly<Record<string, unknown>> = {}): Synthesised {
  count += 1;
  const app = new App({ outdir: path.join(folder, `out-${count}`), analyticsReporting: false });
  const settings = readSettings((key) => context[key], '1.2.3');
  const stack = new PetraStack(app, settings.stackName, { settings, bundles });
  const template = Template.fromStack(stack);
  const { Resources } = template.toJSON();
  return { app, stack, template, resources: Resources, text: JSON.stringify(template.toJSON()) };
}

/** The resources of one type, by logical id. */
export function ofType(
  { resources }: Pick<Synthesised, 'resources'>,
  type: string,
): ReadonlyMap<string, Resource> {
  return new Map(Object.entries(resources).filter(([, { Type }]) => Type === type));
}

/** The one resource of a type whose logical id begins so. */
export function resource(of: Pick<Synthesised, 'resources'>, type: string, idBeginsWith = ''): Resource {
  const found = [...ofType(of, type)].filter(([id]) => id.startsWith(idBeginsWith));
  const only = found[0]?.[1];
  if (!only || found.length > 1) {
    throw new Error(`${found.length} resources of ${type} begin with "${idBeginsWith}"`);
  }
  return only;
}

/** A function of the template by its name in function-actions.json, with its role. */
export function functionOf(
  of: Synthesised,
  name: string,
): { readonly made: Resource; readonly role: Resource } {
  const functionName = `petra-${name.replace('/', '-')}`;
  const made = [...ofType(of, 'AWS::Lambda::Function').values()].find(
    ({ Properties }) => Properties.FunctionName === functionName,
  );
  const { 'Fn::GetAtt': [roleId = ''] = [] } = (made?.Properties.Role ?? {}) as {
    readonly 'Fn::GetAtt'?: readonly string[];
  };
  const role = of.resources[roleId];
  if (!made || !role) throw new Error(`there is no function ${functionName} with a role`);
  return { made, role };
}

export function readStateMachines(): ReadonlyMap<string, unknown> {
  const at = path.join(import.meta.dirname, '..', '..', 'state-machines');
  const verbs = ['init', 'create', 'delete', 'destroy', 'reconcile'];
  return new Map(
    verbs.map((verb) => [verb, JSON.parse(readFileSync(path.join(at, `${verb}.asl.json`), 'utf8'))]),
  );
}
