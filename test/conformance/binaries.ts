// Builds the real programs that the conformance run needs, once, outside the repository: Kubernetes, Cluster API, its
// providers and cert-manager, from pinned Go modules. Checksums of the modules are in go/checksums.txt, those of what
// they use are in their own go.sum, and the go command asks the sum database for any other.

import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { cached, inWorkFolder, offer } from './cache.ts';
import {
  type BinaryName,
  binaryFolder,
  buildFlags,
  executableName,
  type GoBuild,
  type GoMod,
  goBuilds,
  type PinnedModule,
  type Program,
  wrapperGoMod,
} from './go-modules.ts';
import { checkTools } from './tools.ts';

const run = promisify(execFile);

/** Paths of the programs. */
export type Binaries = Readonly<Record<BinaryName, string>>;

export type Say = (line: string) => void;

const goFolder = path.join(import.meta.dirname, 'go');

/**
 * The programs; builds those that are missing and says so. Needs the network then, and about a quarter of an hour on
 * two cores when none is there. Safe to call from several processes at once, and to kill: a program appears when it is
 * whole.
 */
export async function binaries(say: Say): Promise<Binaries> {
  const located = await Promise.all(goBuilds.map(locate));
  await buildMissing(located, say);
  const paths = located.flatMap(({ targets }) => targets.map(({ name, file }) => [name, file] as const));
  // A test holds goBuilds to having every name.
  return Object.fromEntries(paths) as Binaries;
}

/** One of them, and nothing else but what is built together with it. */
export async function binary(name: BinaryName, say: Say): Promise<string> {
  const located = await Promise.all(goBuilds.map(locate));
  for (const one of located) {
    const target = one.targets.find((candidate) => candidate.name === name);
    if (target === undefined) continue;
    await buildMissing([one], say);
    return target.file;
  }
  throw new Error(`no build makes ${name} (test/conformance/go-modules.ts)`);
}

/** The sources of a pinned module, which are read-only; downloads them when they are not there. */
export async function moduleSources(module: string): Promise<string> {
  const build = goBuilds.find((one) => one.module === module);
  if (!build) throw new Error(`${module} is not pinned in test/conformance/go-modules.ts`);
  return inWorkFolder(async (work) => (await download(build, work)).Dir);
}

interface Located {
  readonly build: GoBuild;
  readonly targets: readonly (Program & { readonly file: string })[];
}

async function locate(build: GoBuild): Promise<Located> {
  const ingredients = { platform: `${process.platform}-${process.arch}`, sources: await sourcesOf(build) };
  const targets = build.programs.map((program) => ({
    ...program,
    file: path.join(cached(binaryFolder(build, program, ingredients)), program.name),
  }));
  return { build, targets };
}

async function sourcesOf({ own }: GoBuild): Promise<readonly string[]> {
  const folders = (own?.folders ?? []).map((folder) => path.join(goFolder, folder));
  const names = await Promise.all(folders.map(async (folder) => (await readdir(folder)).sort()));
  const files = folders.flatMap((folder, index) =>
    (names[index] ?? []).map((name) => path.join(folder, name)),
  );
  return Promise.all(files.map((file) => readFile(file, 'utf8')));
}

async function buildMissing(located: readonly Located[], say: Say): Promise<void> {
  const missing = located.filter(isMissing);
  if (missing.length === 0) return;
  await checkTools();
  await inWorkFolder((work) => buildAll(missing, work, say));
}

function isMissing({ targets }: Located): boolean {
  return targets.some(({ file }) => !existsSync(file));
}

/** One after the other, because the go command uses all cores itself; what the next one needs is downloaded meanwhile. */
async function buildAll(missing: readonly Located[], work: string, say: Say): Promise<void> {
  const names = missing.flatMap(({ targets }) => targets.map(({ name }) => name));
  say(`Building ${names.join(', ')} (once) …`);
  const began = Date.now();
  let downloads: Promise<unknown> = Promise.resolve();
  const wrappers = missing.map((located, index) => {
    const wrapper = downloads.then(() => prepare(located, path.join(work, String(index))));
    downloads = wrapper;
    // The loop below awaits it; until then its failure is nobody's.
    wrapper.catch(() => undefined);
    return { located, wrapper };
  });
  try {
    for (const { located, wrapper } of wrappers) {
      const folder = await wrapper;
      // Another process may have made it meanwhile.
      if (isMissing(located)) await compile(located, folder, say);
    }
  } finally {
    await downloads.catch(() => undefined);
  }
  if (missing.length > 1) say(`Built all in ${seconds(began)} s.`);
}

/** A module in which the pinned one can be built. */
async function prepare({ build, targets }: Located, wrapper: string): Promise<string> {
  const { GoMod, Dir } = await download(build, wrapper);
  const goMod: GoMod = JSON.parse(await go(['mod', 'edit', '-json', GoMod], wrapper));
  const folders = [Dir];
  for (const one of build.along ?? []) folders.push((await download(one, wrapper)).Dir);
  const sums = folders.map((folder) => readFile(path.join(folder, 'go.sum'), 'utf8'));
  const known = await Promise.all([knownSums(), ...sums]);
  await writeFile(path.join(wrapper, 'go.mod'), wrapperGoMod(build, goMod));
  await writeFile(path.join(wrapper, 'go.sum'), known.join('\n'));
  for (const folder of build.own?.folders ?? []) {
    await cp(path.join(goFolder, folder), path.join(wrapper, folder), { recursive: true });
  }
  await go(['list', '-mod=mod', '-deps', ...targets.map(({ main }) => main)], wrapper);
  return wrapper;
}

interface Downloaded {
  readonly Dir: string;
  readonly GoMod: string;
}

/** Asked in a module of its own, so that the go command compares with its go.sum. */
async function download({ module, version }: PinnedModule, folder: string): Promise<Downloaded> {
  await mkdir(folder, { recursive: true });
  await writeFile(path.join(folder, 'go.mod'), 'module petra.invalid/download\n');
  await writeFile(path.join(folder, 'go.sum'), await knownSums());
  return JSON.parse(await go(['mod', 'download', '-json', `${module}@${version}`], folder));
}

function knownSums(): Promise<string> {
  return readFile(path.join(goFolder, 'checksums.txt'), 'utf8');
}

async function compile({ build, targets }: Located, wrapper: string, say: Say): Promise<void> {
  const began = Date.now();
  const out = path.join(wrapper, 'out');
  await mkdir(out);
  const mains = targets.map(({ main }) => main);
  await go(['build', '-mod=mod', ...buildFlags(build), '-o', `${out}/`, ...mains], wrapper);
  for (const { name, main, file } of targets) {
    const folder = path.join(out, 'folders', name);
    await mkdir(folder, { recursive: true });
    await rename(path.join(out, executableName(main)), path.join(folder, name));
    await offer(folder, path.dirname(file));
  }
  const made = targets.map(({ name, version = build.version }) => `${name} ${version}`);
  say(`  ${made.join(', ')}: ${seconds(began)} s`);
}

async function go(args: readonly string[], cwd: string): Promise<string> {
  // No other version of Go than the one that is there, and nothing of the caller's own modules. A compiler lives for a
  // second: it need not collect garbage before it holds a lot. (Kubernetes' largest step, the linker, holds 1.7 GB.)
  const memory = { GOGC: 'off', GOMEMLIMIT: '3GiB' };
  const env = { ...process.env, ...memory, CGO_ENABLED: '0', GOTOOLCHAIN: 'local', GOWORK: 'off' };
  try {
    const { stdout } = await run('go', args, { cwd, env, maxBuffer: 256 * 1024 * 1024 });
    return stdout;
  } catch (error) {
    const written =
      error instanceof Error ? String(Reflect.get(error, 'stderr') ?? error.message) : String(error);
    const end = written.trim().split('\n').slice(-20).join('\n');
    throw new Error(`\`go ${args.slice(0, 2).join(' ')}\` failed:\n${end}`, { cause: error });
  }
}

function seconds(began: number): number {
  return Math.round((Date.now() - began) / 1000);
}
