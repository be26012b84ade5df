// Tools written in Python that tests and checks of Petra use. Each is installed once, outside the repository, with
// exactly the versions in python-tools/: the files there were written by `pip freeze` after an installation of the tool.

import { execFile } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm, symlink } from 'node:fs/promises';
import { homedir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

export type PythonTool = 'moto' | 'cfn-lint' | 'shellcheck';

/** The oldest Python that all pinned packages support; networkx is the strictest. */
const oldestPython = '3.11';
const interpreters = ['python3', 'python3.14', 'python3.13', 'python3.12', 'python3.11'];

const howToGetPython = [
  `Petra's tests and checks use tools that need Python ${oldestPython} or newer, with venv. To get it:`,
  '  Debian, Ubuntu:  sudo apt-get install python3 python3-venv',
  '  Fedora:          sudo dnf install python3',
  '  macOS:           brew install python3',
].join('\n');

/**
 * The folder with the programs of a tool, `python` among them; installs the tool first when it is not there. Safe to
 * call from several processes at once: each installs for itself, and the first to end is used by all.
 */
export async function pythonTool(name: PythonTool): Promise<string> {
  const requirements = path.join(import.meta.dirname, 'python-tools', `${name}.txt`);
  const pins = await readFile(requirements, 'utf8');
  const version = createHash('sha256').update(pins).digest('hex').slice(0, 12);
  const tool = path.join(cacheFolder(), 'python', `${name}-${version}`);
  const bin = path.join(tool, 'bin');
  if (existsSync(path.join(bin, 'python'))) return bin;
  await install(name, requirements, tool);
  return bin;
}

/** Where Petra keeps what it can install or make again. */
export function cacheFolder(): string {
  const { PETRA_CACHE, XDG_CACHE_HOME } = process.env;
  if (PETRA_CACHE) return path.resolve(PETRA_CACHE);
  return path.join(XDG_CACHE_HOME || path.join(homedir(), '.cache'), 'petra');
}

/** Programs in a venv name its folder in their first line, so it cannot be renamed: a link to it appears instead. */
async function install(name: PythonTool, requirements: string, tool: string): Promise<void> {
  const python = await findPython();
  const venv = `${tool}-${randomUUID().slice(0, 8)}`;
  await mkdir(path.dirname(tool), { recursive: true });
  process.stderr.write(`Installing ${name} into ${tool} (once) …\n`);
  try {
    await run(python, ['-m', 'venv', venv]);
    const pip = ['-m', 'pip', 'install', '--quiet', '--no-input', '--disable-pip-version-check'];
    await run(path.join(venv, 'bin', 'python'), [...pip, '--requirement', requirements]);
    await offer(venv, tool);
  } catch (error) {
    await rm(venv, { recursive: true, force: true });
    throw new Error(`cannot install ${name}: ${said(error)}\n${howToGetPython}`, { cause: error });
  }
}

/** Links to the installation, unless another process was faster. */
async function offer(venv: string, tool: string): Promise<void> {
  try {
    await symlink(path.basename(venv), tool);
  } catch {
    if (existsSync(path.join(tool, 'bin', 'python'))) return rm(venv, { recursive: true });
    // The link leads to nothing, or to a Python that is gone.
    await symlink(path.basename(venv), `${venv}.link`);
    await rename(`${venv}.link`, tool);
  }
}

/** A Python that is new enough. @throws with how to get one */
export async function findPython(): Promise<string> {
  const isNewEnough = `import sys; sys.exit(sys.version_info < (${oldestPython.replace('.', ', ')}))`;
  for (const python of interpreters) {
    try {
      await run(python, ['-c', isNewEnough]);
      return python;
    } catch {
      // Not there, or too old: the next may do.
    }
  }
  throw new Error(`no Python ${oldestPython} or newer is on the PATH.\n${howToGetPython}`);
}

/** What a program that failed wrote, or why it could not be started. */
function said(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const written = ['stderr', 'stdout'].map((stream) => String(Reflect.get(error, stream) ?? '').trim());
  return written.find((text) => text !== '') ?? error.message;
}
