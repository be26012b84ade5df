// What must be on the machine before anything can be built: Go, Python and kubectl.

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { messageOf } from '../../core/errors.ts';
import { findPython } from '../../scripts/python-tools.ts';

const run = promisify(execFile);

interface Tool {
  readonly name: string;
  /** The oldest version that does, and why. */
  readonly oldest: readonly [major: number, minor: number];
  readonly reason: string;
  readonly command: readonly [string, ...string[]];
  readonly howToGet: readonly string[];
}

const tools: readonly Tool[] = [
  {
    name: 'Go',
    oldest: [1, 25],
    reason: 'the go.mod of Kubernetes asks for it',
    command: ['go', 'version'],
    howToGet: [
      'Debian, Ubuntu:  sudo snap install go --classic',
      'Fedora:          sudo dnf install golang',
      'macOS:           brew install go',
      'elsewhere:       https://go.dev/dl/',
    ],
  },
  {
    name: 'kubectl',
    oldest: [1, 27],
    reason: 'from then on it has kustomize 5',
    command: ['kubectl', 'version', '--client'],
    howToGet: [
      'Debian, Ubuntu:  sudo snap install kubectl --classic',
      'Fedora:          sudo dnf install kubernetes-client',
      'macOS:           brew install kubectl',
      'elsewhere:       https://kubernetes.io/docs/tasks/tools/',
    ],
  },
];

/**
 * Go is needed only to build.
 * @throws when something is missing or too old: all of it in one message, each with how to get it
 */
export async function checkTools({ toBuild = true } = {}): Promise<void> {
  const needed = tools.filter(({ name }) => toBuild || name !== 'Go');
  const problems = [...(await Promise.all(needed.map(problemOf))), await pythonProblem()];
  const found = problems.filter((problem) => problem !== undefined);
  if (found.length > 0) throw new Error(found.join('\n'));
}

async function problemOf(tool: Tool): Promise<string | undefined> {
  const [program, ...args] = tool.command;
  const said = await run(program, args).then(
    ({ stdout }) => stdout,
    () => undefined,
  );
  return toolProblem(tool, said);
}

/** What is wrong with a tool that said this about its version, or with one that could not be started. */
export function toolProblem(
  { name, oldest, reason, howToGet }: Omit<Tool, 'command'>,
  said: string | undefined,
): string | undefined {
  const [, major, minor] = /\bv?(?:go)?(\d+)\.(\d+)/.exec(said ?? '') ?? [];
  const isNewEnough =
    Number(major) > oldest[0] || (Number(major) === oldest[0] && Number(minor) >= oldest[1]);
  if (isNewEnough) return undefined;
  const found = said === undefined ? 'none is on the PATH' : `found ${said.trim().split('\n')[0]}`;
  return [
    `Conformance needs ${name} ${oldest.join('.')} or newer (${reason}); ${found}. To get it:`,
    ...howToGet.map((line) => `  ${line}`),
  ].join('\n');
}

async function pythonProblem(): Promise<string | undefined> {
  try {
    await findPython();
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}
