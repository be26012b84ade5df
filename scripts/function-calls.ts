// Writes cdk/function-actions.json: what each function can reach, from which the stack grants its role, its place in
// the network and its environment. Derived from the code; a test holds it up to date.

import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { functionNames } from './build-lambdas.ts';
import { type Reach, reachOf } from './call-graph.ts';

const file = path.resolve(import.meta.dirname, '../cdk/function-actions.json');

export interface FunctionActions extends Reach {
  /** Talks to a Kubernetes API, so it must be where the nodes are. */
  readonly kubernetes: boolean;
}

/** By function, `<verb>/<name>`, in alphabetical order. */
export async function functionActions(): Promise<Record<string, FunctionActions>> {
  const names = await functionNames();
  const reach = reachOf(names.map((name) => `lambdas/${name}.ts`));
  const entries = [...reach].map(([source, { calls, actions, variables }]) => {
    const name = source.replace(/^lambdas\/|\.ts$/g, '');
    const kubernetes = calls.includes('kubernetes.connect');
    return [name, { calls, actions, kubernetes, variables }];
  });
  return Object.fromEntries(entries);
}

/** The file's text. */
export async function functionActionsText(): Promise<string> {
  return `${JSON.stringify(await functionActions(), undefined, 2)}\n`;
}

if (import.meta.main) await writeFile(file, await functionActionsText());
