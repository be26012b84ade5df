// The petra command as a person at a keyboard of the virtual account runs it: a process of its own, with an access key.

import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import type { VirtualAccount } from './account.ts';
import type { CallerName } from './callers.ts';
import { node, region, repository, stackName } from './places.ts';

export interface CommandRun {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly seconds: number;
}

/** Longer than any operation may take here, on a machine that does much else. */
const limitMilliseconds = 30 * 60_000;

/** Runs `petra ARGS…` to its end. */
export async function petra(
  account: VirtualAccount,
  caller: CallerName,
  args: readonly string[],
): Promise<CommandRun> {
  const begun = Date.now();
  const { accessKeyId, secretAccessKey } = account.callers[caller];
  const home = path.join(account.folder, 'home', caller);
  mkdirSync(home, { recursive: true, mode: 0o700 });
  const child = spawn(node, [path.join(repository, 'cli', 'main.ts'), ...args], {
    cwd: repository,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      PATH: process.env.PATH ?? '',
      HOME: home,
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
      AWS_REGION: region,
      AWS_ENDPOINT_URL: account.moto.endpoint,
      AWS_EC2_METADATA_DISABLED: 'true',
      NODE_COMPILE_CACHE: path.join(account.folder, 'compiled'),
    },
  });
  const timer = setTimeout(() => child.kill('SIGKILL'), limitMilliseconds);
  const said = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk: Buffer) => {
    said.stdout += chunk.toString('utf8');
  });
  child.stderr.on('data', (chunk: Buffer) => {
    said.stderr += chunk.toString('utf8');
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  clearTimeout(timer);
  const seconds = (Date.now() - begun) / 1000;
  account.log(`$ petra ${args.join(' ')} (${caller}): ${code} after ${seconds.toFixed(1)} s`);
  return { code, ...said, seconds };
}

/** Runs it, and wants this exit code and these words. @throws Error with what it said instead */
export async function expectPetra(
  account: VirtualAccount,
  caller: CallerName,
  args: readonly string[],
  expected: { readonly code?: number; readonly says?: readonly string[] } = {},
): Promise<CommandRun> {
  const run = await petra(account, caller, args);
  const { code = 0, says = [] } = expected;
  const all = run.stdout + run.stderr;
  const missing = says.filter((words) => !all.includes(words));
  if (run.code === code && missing.length === 0) return run;
  const why =
    run.code === code ? `does not say ${missing.join(', ')}` : `ended with ${run.code}, not ${code}`;
  throw new Error(`petra ${args.join(' ')} (${caller}) ${why}:\n${all.slice(-4_000)}`);
}

/** Lets each caller find the stack by itself, as the manual says. */
export async function useStack(account: VirtualAccount, callers: readonly CallerName[]): Promise<void> {
  for (const caller of callers)
    await expectPetra(account, caller, ['config', 'use-stack', stackName, '--region', region]);
}
