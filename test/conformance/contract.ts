// The part `contract` of the conformance run: the tests of the Kubernetes adapter on a real API server, in a process of
// their own, since vitest brings its own. Runs in the sandbox.

import { spawn } from 'node:child_process';
import { mkdirSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { at, listAt } from '../../core/json-fields.ts';

type ProgramName = 'etcd' | 'kube-apiserver' | 'kube-controller-manager';

export interface ContractWorld {
  /** Paths of the programs. */
  readonly binaries: Readonly<Record<ProgramName, string>>;
  /** For data, and for logs that a failure is looked up in. */
  readonly folder: string;
  readonly say: (line: string) => void;
}

const variables = {
  etcd: 'PETRA_CONTRACT_ETCD',
  'kube-apiserver': 'PETRA_CONTRACT_API_SERVER',
  'kube-controller-manager': 'PETRA_CONTRACT_CONTROLLER_MANAGER',
  folder: 'PETRA_CONTRACT_FOLDER',
} as const;

const root = path.join(import.meta.dirname, '../..');

/** @throws Error when a test fails, with the name of each and where the logs are */
export async function runContract({ binaries, folder, say }: ContractWorld): Promise<void> {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const results = path.join(folder, 'results.json');
  const log = path.join(folder, 'tests.log');
  const output = openSync(log, 'a', 0o600);
  const child = spawn(
    process.execPath,
    [
      path.join(root, 'node_modules/vitest/vitest.mjs'),
      'run',
      '--config=test/conformance/vitest.config.ts',
      '--reporter=default',
      '--reporter=json',
      `--outputFile.json=${results}`,
    ],
    {
      cwd: root,
      stdio: ['ignore', output, output],
      env: { ...process.env, ...environmentOf(binaries, folder) },
    },
  );
  const code = await new Promise((resolve, reject) => child.once('error', reject).once('exit', resolve));
  const report: unknown = await readFile(results, 'utf8').then(JSON.parse, () => undefined);
  const failed = listAt(report, 'testResults')
    .flatMap((file) => listAt(file, 'assertionResults'))
    .filter((one) => at(one, 'status') === 'failed')
    .map((one) => String(at(one, 'fullName')));
  const passed = at(report, 'numPassedTests');
  if (code !== 0 || failed.length > 0 || !passed) {
    throw new Error([`the contract does not hold on the real API; see ${log}`, ...failed].join('\n  '));
  }
  say(`${passed} tests of the Kubernetes adapter hold on the real API`);
}

function environmentOf(
  binaries: ContractWorld['binaries'],
  folder: string,
): Readonly<Record<string, string>> {
  return {
    [variables.etcd]: binaries.etcd,
    [variables['kube-apiserver']]: binaries['kube-apiserver'],
    [variables['kube-controller-manager']]: binaries['kube-controller-manager'],
    [variables.folder]: folder,
  };
}

/** What runContract told the tests. @throws Error when it did not start them */
export function contractWorldOf(
  environment: Readonly<Record<string, string | undefined>>,
): Omit<ContractWorld, 'say'> {
  const told = (variable: string) => {
    const value = environment[variable];
    if (value === undefined)
      throw new Error(`${variable} is not set: run \`npm run conformance -- --only contract\``);
    return value;
  };
  return {
    binaries: {
      etcd: told(variables.etcd),
      'kube-apiserver': told(variables['kube-apiserver']),
      'kube-controller-manager': told(variables['kube-controller-manager']),
    },
    folder: told(variables.folder),
  };
}
