// `npm run conformance`: Petra against real Kubernetes, Cluster API, k3s providers and CAPA on this machine alone.
// docs/conformance.md says what is real in it and what stands in for what.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { binaries } from '../test/conformance/binaries.ts';
import { runContract } from '../test/conformance/contract.ts';
import { MemoryWatch } from '../test/conformance/memory.ts';
import { PodNetwork } from '../test/conformance/pod-network.ts';
import { Processes } from '../test/conformance/processes.ts';
import { openRealAccount, type Reality } from '../test/conformance/real-account.ts';
import { releaseFolder } from '../test/conformance/releases.ts';
import { enterSandbox, isInSandbox } from '../test/conformance/sandbox.ts';
import { checkSpecs } from '../test/conformance/specs.ts';
import {
  destroyManagement,
  initManagement,
  liveWorkload,
  type Stage,
  storyWorkload,
} from '../test/conformance/story.ts';
import { KnownSecrets } from '../test/virtual-account/secrecy.ts';
import { pythonTool } from './python-tools.ts';

const parts = ['contract', 'specs', 'traces', 'story'] as const;
type Part = (typeof parts)[number];

const { values } = parseArgs({
  options: {
    only: { type: 'string', multiple: true, default: [] },
    keep: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  },
});

const usage = `Usage: npm run conformance -- [--only ${parts.join('|')}]… [--keep]

  --only PART  only this part; may be given several times
  --keep       leave everything running at the end, to look around; Ctrl-C ends it`;

const begun = Date.now();
const say = (line: string) => console.log(line);
const secondsSince = (moment: number) => ((Date.now() - moment) / 1000).toFixed(1);

function partsToRun(): ReadonlySet<Part> {
  const unknown = values.only.filter((name) => !parts.some((part) => part === name));
  if (unknown.length > 0) {
    console.error(`unknown part "${unknown.join('", "')}"\n${usage}`);
    process.exit(2);
  }
  return new Set(parts.filter((part) => values.only.length === 0 || values.only.includes(part)));
}

/** What needs the network, all of it, before there is none. */
async function prepare(): Promise<void> {
  await binaries(say);
  await releaseFolder(say);
  await pythonTool('moto');
}

/** Says how long each piece of a part took. */
function stepsOf(part: string): Stage['step'] {
  return async (title, work) => {
    const moment = Date.now();
    try {
      return await work();
    } finally {
      say(`  ${part}: ${title}: ${secondsSince(moment)} s`);
    }
  };
}

async function timed(part: Part, work: (tell: (line: string) => void) => Promise<unknown>): Promise<void> {
  const moment = Date.now();
  await work((line) => say(`  ${part}: ${line}`));
  say(`${part}: ${secondsSince(moment)} s`);
}

/** Waits for all, and then fails with the failures of all. */
async function together(running: readonly Promise<void>[]): Promise<void> {
  const failures = (await Promise.allSettled(running)).flatMap((one) =>
    one.status === 'rejected' ? [one.reason] : [],
  );
  if (failures.length === 1) throw failures[0];
  if (failures.length > 0) throw new AggregateError(failures, `${failures.length} parts failed`);
}

/** Until Ctrl-C. */
async function interrupted(): Promise<void> {
  // Nothing else may keep this process alive.
  const timer = setInterval(() => undefined, 60_000);
  await new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
  });
  clearInterval(timer);
}

async function onManagement(run: Reality, wanted: ReadonlySet<Part>): Promise<void> {
  const real = await openRealAccount(run, say);
  const { account } = real;
  try {
    say(`  account: deployed in ${account.seconds.deploy.toFixed(1)} s`);
    const stage = { ...run, real, account, secrets: new KnownSecrets(), step: stepsOf('story') };
    const management = await initManagement(stage);
    const { kubeconfig } = management;
    const folder = path.join(run.folder, 'specs');
    await together([
      ...(wanted.has('story') ? [timed('story', () => liveWorkload(stage, management))] : []),
      ...(wanted.has('specs')
        ? [timed('specs', (tell) => checkSpecs({ ...run, kubeconfig, folder, say: tell }))]
        : []),
    ]);
    if (!values.keep) await destroyManagement(stage, management);
  } finally {
    if (values.keep) {
      say(
        `everything runs: API ${account.apiUrl}, AWS ${account.moto.endpoint}, files ${run.folder}; Ctrl-C ends it`,
      );
      await interrupted();
    }
    await account.stop({ keepFolder: true });
  }
}

/** Inside the sandbox. */
async function runParts(wanted: ReadonlySet<Part>): Promise<void> {
  const folder = await mkdtemp(path.join(tmpdir(), 'petra-conformance-'));
  const processes = new Processes({ logs: path.join(folder, 'logs') });
  const memory = new MemoryWatch();
  let failure: unknown;
  try {
    const run = {
      folder,
      processes,
      isReal: (workload: string) => workload === storyWorkload,
      network: new PodNetwork(path.join(folder, 'networks')),
      binaries: await binaries(say),
      releases: await releaseFolder(say),
    };
    const contract = (tell: (line: string) => void) =>
      runContract({ ...run, folder: path.join(folder, 'contract'), say: tell });
    const parts = together([
      ...(wanted.has('contract') ? [timed('contract', contract)] : []),
      ...([...wanted].some((part) => part !== 'contract') ? [onManagement(run, wanted)] : []),
    ]);
    const how = values.keep ? parts : Promise.race([parts, interrupted().then(() => 'interrupted')]);
    if ((await how) === 'interrupted') failure = 'interrupted';
  } catch (error) {
    failure = error;
  }
  await processes.stopAll();
  memory.stop();
  say(`${secondsSince(begun)} s, at most ${Math.round(memory.peak / 1e6)} MB`);
  if (failure === undefined) {
    await rm(folder, { recursive: true, force: true });
    process.exit(0);
  }
  console.error(failure);
  console.error(`failed; logs are in ${folder}, and docs/conformance.md says how to read them`);
  process.exit(1);
}

async function main(): Promise<void> {
  if (values.help) return say(usage);
  const wanted = partsToRun();
  if (isInSandbox()) return runParts(wanted);
  await prepare();
  say(`everything is built (${secondsSince(begun)} s)`);
  await enterSandbox();
}

await main();
