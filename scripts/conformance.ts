// `npm run conformance`: Petra against real Kubernetes, Cluster API, k3s providers and CAPA on this machine alone.
// docs/conformance.md says what is real in it and what stands in for what.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { badDays, initWithoutApi } from '../test/conformance/bad-days.ts';
import { binaries } from '../test/conformance/binaries.ts';
import { checkTraces } from '../test/conformance/check-traces.ts';
import { runContract } from '../test/conformance/contract.ts';
import { fleet } from '../test/conformance/fleet.ts';
import { describeFleet } from '../test/conformance/fleet-report.ts';
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
  type Management,
  type Stage,
  storyWorkload,
} from '../test/conformance/story.ts';
import { checkTools } from '../test/conformance/tools.ts';
import { KnownSecrets } from '../test/virtual-account/secrecy.ts';
import { pythonTool } from './python-tools.ts';

interface Scene {
  readonly reality: Reality;
  readonly stage: Stage;
  readonly management: Management;
}

type Tell = (line: string) => void;

/** Needs no management cluster. */
const contract = ({ binaries, folder }: Reality, tell: Tell) =>
  runContract({ binaries, folder: path.join(folder, 'contract'), say: tell });

/** What is done on the management cluster of the story, all at the same time. */
const onManagement = {
  specs: ({ reality, management }: Scene, tell: Tell) =>
    checkSpecs({
      binaries: reality.binaries,
      kubeconfig: management.kubeconfig,
      folder: path.join(reality.folder, 'specs'),
      say: tell,
    }),
  story: ({ stage, management }: Scene) => liveWorkload(stage, management),
  traces: ({ reality, management }: Scene, tell: Tell) =>
    checkTraces({
      kubeconfig: management.kubeconfig,
      folder: path.join(reality.folder, 'traces'),
      say: tell,
      ...(values['record-traces'] === undefined ? {} : { record: recordings() }),
    }),
} satisfies Readonly<Record<string, (scene: Scene, tell: Tell) => Promise<void>>>;

/** Afterwards, and alone: it says who used the processor. */
async function manyAtOnce({ stage, management }: Scene, tell: Tell): Promise<void> {
  const measures = await fleet({ ...stage, step: stepsOf('fleet') }, management, fleetSize());
  for (const line of describeFleet(measures)) tell(line);
}

const managementParts = Object.entries(onManagement);
/** What breaks the management cluster that all the others work on: it begins with its init, and goes on after them. */
const breaking = 'bad-days';
const parts = ['contract', ...Object.keys(onManagement), 'fleet', breaking];
/** CAPA looks after a minute whether an instance is gone, so that a recording takes longer than all the rest. */
const onRequest: readonly string[] = ['traces', breaking];

/** Controllers that are killed would else wait for up to five minutes. */
const quickBackOff = { firstSeconds: 1, longestSeconds: 5 };

const { values } = parseArgs({
  options: {
    only: { type: 'string', multiple: true, default: [] },
    fleet: { type: 'string' },
    keep: { type: 'boolean', default: false },
    'record-traces': { type: 'string' },
    help: { type: 'boolean', short: 'h', default: false },
  },
});

const usage = `Usage: npm run conformance -- [--only ${parts.join('|')}]… [--fleet N] [--keep]
                              [--record-traces N]

  --only PART         only this part; may be given several times; ${onRequest.join(' and ')} run only when they are given
  --fleet N           so many workload clusters at once, after the other parts
  --keep              leave everything running at the end, to look around; Ctrl-C ends it
  --record-traces N   with traces: add N recordings to test/fixtures/traces instead of comparing`;

const begun = Date.now();
const say = (line: string) => console.log(line);
const secondsSince = (moment: number) => ((Date.now() - moment) / 1000).toFixed(1);

function partsToRun(): ReadonlySet<string> {
  const unknown = values.only.filter((name) => !parts.includes(name));
  if (unknown.length > 0) {
    console.error(`unknown part "${unknown.join('", "')}"\n${usage}`);
    process.exit(2);
  }
  const all = parts.filter((name) => !onRequest.includes(name) && (name !== 'fleet' || fleetSize() > 0));
  return new Set(values.only.length === 0 ? all : values.only);
}

function fleetSize(): number {
  const { fleet: text = values.only.includes('fleet') ? '50' : '0' } = values;
  if (/^\d{1,3}$/.test(text)) return Number(text);
  console.error(`--fleet takes a number up to 999, not "${text}"\n${usage}`);
  process.exit(2);
}

function recordings(): number {
  const text = values['record-traces'] ?? '';
  if (/^[1-9]$/.test(text)) return Number(text);
  console.error(`--record-traces takes a number from 1 to 9, not "${text}"\n${usage}`);
  process.exit(2);
}

/** What needs the network, all of it, before there is none. */
async function prepare(): Promise<void> {
  await checkTools({ toBuild: false });
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

async function timed(part: string, work: (tell: Tell) => Promise<void>): Promise<void> {
  const moment = Date.now();
  try {
    await work((line) => say(`  ${part}: ${line}`));
    say(`${part}: ${secondsSince(moment)} s`);
  } catch (error) {
    say(`${part}: FAILED after ${secondsSince(moment)} s`);
    throw new Error(`${part}: ${withCauses(error)}`, { cause: error });
  }
}

/** Waits for all, and then fails with what all failed with. */
async function together(running: readonly Promise<void>[]): Promise<void> {
  const failures = (await Promise.allSettled(running)).flatMap((one) =>
    one.status === 'rejected' ? [withCauses(one.reason)] : [],
  );
  if (failures.length > 0) throw new Error(failures.join('\n\n'));
}

function withCauses(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause === undefined ? '' : withCauses(error.cause);
  return cause === '' || error.message.includes(cause) ? error.message : `${error.message}: ${cause}`;
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

async function withManagement(reality: Reality, wanted: ReadonlySet<string>): Promise<void> {
  const real = await openRealAccount(reality, say);
  const { account } = real;
  try {
    say(`  account: deployed in ${account.seconds.deploy.toFixed(1)} s`);
    const stage = { ...reality, real, account, secrets: new KnownSecrets(), step: stepsOf('story') };
    const management = await (wanted.has(breaking) ? initWithoutApi(stage) : initManagement(stage));
    const scene = { reality, stage, management };
    const wantedParts = managementParts.filter(([part]) => wanted.has(part));
    await together(wantedParts.map(([part, work]) => timed(part, (tell) => work(scene, tell))));
    if (wanted.has('fleet')) await timed('fleet', (tell) => manyAtOnce(scene, tell));
    if (wanted.has(breaking))
      await timed(breaking, () => badDays({ ...stage, step: stepsOf(breaking) }, management));
    if (!values.keep) await destroyManagement(stage, management);
  } catch (error) {
    if (values.keep) console.error(withCauses(error));
    throw error;
  } finally {
    if (values.keep) {
      const { apiUrl, moto } = account;
      say(`everything runs: API ${apiUrl}, AWS ${moto.endpoint}, files ${reality.folder}; Ctrl-C ends it`);
      await interrupted();
    }
    await account.stop({ keepFolder: true });
  }
}

/** Inside the sandbox. */
async function runParts(wanted: ReadonlySet<string>): Promise<void> {
  const folder = await mkdtemp(path.join(tmpdir(), 'petra-conformance-'));
  const processes = new Processes({ logs: path.join(folder, 'logs') });
  const memory = new MemoryWatch();
  let failure: unknown;
  try {
    const reality = {
      folder,
      processes,
      isReal: (workload: string) => workload === storyWorkload,
      ...(wanted.has(breaking) ? { backOff: quickBackOff } : {}),
      network: new PodNetwork(path.join(folder, 'networks')),
      binaries: await binaries(say),
      releases: await releaseFolder(say),
    };
    const running = together([
      ...(wanted.has('contract') ? [timed('contract', (tell) => contract(reality, tell))] : []),
      ...([...wanted].some((part) => part !== 'contract') ? [withManagement(reality, wanted)] : []),
    ]);
    const stopped = () => interrupted().then(() => Promise.reject(new Error('interrupted')));
    await (values.keep ? running : Promise.race([running, stopped()]));
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
  console.error(withCauses(failure));
  console.error(`failed; logs are in ${folder}, and docs/conformance.md says how to read them`);
  process.exit(1);
}

async function main(): Promise<void> {
  if (values.help) return say(usage);
  const wanted = partsToRun();
  if (values['record-traces'] !== undefined) recordings();
  if (isInSandbox()) return runParts(wanted);
  try {
    await prepare();
    say(`everything is built (${secondsSince(begun)} s)`);
    await enterSandbox();
  } catch (error) {
    console.error(withCauses(error));
    process.exit(1);
  }
}

await main();
