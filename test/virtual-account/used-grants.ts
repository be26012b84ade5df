// Which of the granted actions functions really used: what was never used is no fault, as many are for what goes wrong,
// but a long list that grows is a sign.

import { readFileSync } from 'node:fs';
import path from 'node:path';
import { listAt, recordAt } from '../../core/json-fields.ts';
import type { VirtualAccount } from './account.ts';
import { repository } from './places.ts';

export interface UsedGrants {
  /** Of functions that ran. */
  readonly granted: number;
  readonly unused: readonly string[];
}

/** Compares cdk/function-actions.json, from which the roles are made, with what the edge saw. */
export function usedGrants({ edge, host }: VirtualAccount): UsedGrants {
  const file = path.join(repository, 'cdk', 'function-actions.json');
  const facts: unknown = JSON.parse(readFileSync(file, 'utf8'));
  let granted = 0;
  const unused: string[] = [];
  for (const name of Object.keys(recordAt(facts))) {
    if (!host.invocations.has(name)) continue;
    const used = edge.calls.get(name);
    for (const action of listAt(facts, name, 'actions').map(String)) {
      granted += 1;
      if (!used?.has(action)) unused.push(`${name} ${action}`);
    }
  }
  return { granted, unused };
}
