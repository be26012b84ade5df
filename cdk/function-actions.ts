// What each function does, as scripts/function-calls.ts derives it from the code.

import { readFileSync } from 'node:fs';
import path from 'node:path';
import { companions } from './grants.ts';

/** Of one function, whose name is `<verb>/<state>` or `api/<route>`. */
export interface FunctionFacts {
  /** IAM actions, `service:Action`. */
  readonly actions: readonly string[];
  /** Whether it talks to a Kubernetes API, and so lives in the isolated subnets. */
  readonly kubernetes: boolean;
  /** Environment variables it reads. */
  readonly variables: readonly string[];
}

export type FunctionActions = Readonly<Record<string, FunctionFacts>>;

export function readFunctionActions(): FunctionActions {
  return JSON.parse(readFileSync(path.join(import.meta.dirname, 'function-actions.json'), 'utf8'));
}

/** Actions of one service that functions in the isolated subnets need, in order. */
export function actionsInsideNetwork(functions: FunctionActions, service: string): readonly string[] {
  const needed = Object.values(functions)
    .filter(({ kubernetes }) => kubernetes)
    .flatMap(({ actions }) => actions.flatMap((action) => [action, ...(companions[action] ?? [])]));
  return [...new Set(needed)].filter((action) => action.startsWith(`${service}:`)).sort();
}
