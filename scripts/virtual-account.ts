// `npm run virtual-account`: Petra deployed into a virtual AWS account on this machine, and what must be true of it.
// docs/virtual-account.md says what is real in it and what stands in for what.

import { parseArgs } from 'node:util';
import { openVirtualAccount, type VirtualAccount } from '../test/virtual-account/account.ts';
import { runFaults } from '../test/virtual-account/faults.ts';
import { runKills } from '../test/virtual-account/kills.ts';
import { type EndState, liveUndisturbed } from '../test/virtual-account/lives.ts';
import { simulatedParts } from '../test/virtual-account/simulated-kubernetes.ts';
import { expectClean, runStory } from '../test/virtual-account/story.ts';
import { usedGrants } from '../test/virtual-account/used-grants.ts';

const parts = ['story', 'faults', 'kills'] as const;
type Part = (typeof parts)[number];

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    keep: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  },
});

const usage = `Usage: npm run virtual-account -- [--only ${parts.join('|')}] [--keep]

  --only PART  only this part, instead of all three
  --keep       leave the account running at the end, to look around; Ctrl-C ends it`;

function partsToRun(): readonly Part[] {
  if (values.only === undefined) return parts;
  const found = parts.find((part) => part === values.only);
  if (found === undefined) {
    console.error(`unknown part "${values.only}"\n${usage}`);
    process.exit(2);
  }
  return [found];
}

const say = (line: string) => console.log(line);

async function runParts(account: VirtualAccount, wanted: readonly Part[]): Promise<void> {
  const { seconds, functions, front } = account;
  say(
    `${functions.length} functions, ${front.routeKeys.length} routes; deployed in ${seconds.deploy.toFixed(1)} s`,
  );
  let undisturbed: EndState | undefined;
  for (const part of wanted) {
    const begun = Date.now();
    say(`${part}:`);
    if (part === 'story') {
      await runStory(account, say);
    } else {
      undisturbed ??= await liveUndisturbed(account);
      if (part === 'faults') {
        const { calls, tried, neverHappened } = await runFaults(account, undisturbed, say);
        say(`  ${tried} faults on ${calls} kinds of calls were tried, and all converged`);
        if (neverHappened.length > 0) say(`  not called again: ${neverHappened.join(', ')}`);
      } else {
        const { states, tried, neverRan } = await runKills(account, undisturbed, say);
        say(`  ${tried} kills in ${states} functions were tried, and all converged`);
        if (neverRan.length > 0) say(`  did not run: ${neverRan.join(', ')}`);
      }
    }
    say(`${part}: ${((Date.now() - begun) / 1000).toFixed(1)} s`);
  }
  await expectClean(account);
  const { granted, unused } = usedGrants(account);
  say(`${granted - unused.length} of ${granted} granted actions were used by the functions that ran`);
  for (const line of unused) account.log(`granted and not used: ${line}`);
}

async function main(): Promise<void> {
  if (values.help) return say(usage);
  const wanted = partsToRun();
  const begun = Date.now();
  const account = await openVirtualAccount(simulatedParts(), say);
  const interrupted = new Promise<'interrupted'>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => resolve('interrupted'));
  });
  let failed = false;
  try {
    const how = await Promise.race([runParts(account, wanted), interrupted]);
    if (how === 'interrupted') throw new Error('interrupted');
  } catch (error) {
    failed = true;
    console.error(error instanceof Error ? error.message : error);
  }
  if (values.keep) {
    say(
      `the account runs: API ${account.apiUrl}, AWS ${account.moto.endpoint}, logs ${account.folder}; Ctrl-C ends it`,
    );
    await interrupted;
  }
  await account.stop({ keepFolder: failed });
  if (failed) {
    console.error(`failed; logs are in ${account.folder}, and docs/virtual-account.md says how to read them`);
    process.exitCode = 1;
  } else say(`all of it in ${Math.round((Date.now() - begun) / 1000)} s, and nothing is left behind`);
}

await main();
