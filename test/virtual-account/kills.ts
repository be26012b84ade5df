// Functions that are killed: each state's function once before and once after its work, in lives that must end as an
// undisturbed one does, without anybody noticing.

import type { VirtualAccount } from './account.ts';
import type { PlannedKill } from './lambda-host.ts';
import { type EndState, expectSameEnd, lifeVerbs, live, namesOf, together } from './lives.ts';

export interface KillMeasures {
  readonly states: number;
  readonly tried: number;
  readonly neverRan: readonly string[];
}

export async function runKills(
  account: VirtualAccount,
  undisturbed: EndState,
  say: (line: string) => void,
): Promise<KillMeasures> {
  const states = account.functions
    .map(({ name }) => name)
    .filter((name) => lifeVerbs.some((verb) => name.startsWith(`${verb}/`)));
  const planned: PlannedKill[] = [];
  const killing = (when: PlannedKill['when']) => async () => {
    const begun = Date.now();
    const life = `kill-${when}`;
    const names = namesOf(life);
    const rules = states.map((name) => {
      const cluster = /^(?:init|destroy)\//.test(name) ? names.management : names.workload;
      return account.host.kill({ cluster, function: name, when, times: 1 });
    });
    planned.push(...rules);
    expectSameEnd(life, await live(account, life), undisturbed);
    const killed = rules.filter(({ happened }) => happened > 0).length;
    say(`  ${life}: ${killed} kills, ${((Date.now() - begun) / 1000).toFixed(1)} s`);
  };
  await together([killing('before'), killing('after')], 2, say);
  const happened = planned.filter((rule) => rule.happened > 0);
  const killed = new Set(happened.map((rule) => rule.function));
  return {
    states: states.length,
    tried: happened.length,
    neverRan: states.filter((name) => !killed.has(name)),
  };
}
