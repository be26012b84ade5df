import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { pythonTool } from '../../scripts/python-tools.ts';

/** A virtual AWS account that runs in a process of its own. */
export interface Moto {
  readonly endpoint: string;
  /** What every SDK client takes; spread it into the client's configuration. */
  readonly config: {
    readonly endpoint: string;
    readonly region: string;
    readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  };
  /** What moto wrote so far: its requests, and the traces of its own failures. */
  log(): Promise<string>;
  /** Waits of state machines that begin from now on are so many times shorter. */
  setSpeed(speed: number): Promise<void>;
  stop(): Promise<void>;
}

/** moto knows one account, whoever asks. */
export const motoAccount = '123456789012';

const startLimitMilliseconds = 60_000;

/**
 * Starts an empty account; each call another one. The first call on a machine installs moto, which takes a minute or
 * two.
 */
export async function startMoto(
  options: {
    readonly region?: string;
    /** Where calls of Lambda functions go; without it no function can be called. */
    readonly lambdaEndpoint?: string;
    /** Further environment of the process, for moto's own settings. */
    readonly environment?: Readonly<Record<string, string>>;
  } = {},
): Promise<Moto> {
  const bin = await pythonTool('moto');
  const folder = await mkdtemp(path.join(tmpdir(), 'petra-moto-'));
  const logFile = path.join(folder, 'moto.log');
  const log = openSync(logFile, 'a', 0o600);
  const child = spawn(path.join(bin, 'python'), [path.join(import.meta.dirname, 'moto-server.py')], {
    // Standard input stays open as long as this process lives: moto ends with it.
    stdio: ['pipe', 'pipe', log],
    env: {
      ...process.env,
      ...(options.lambdaEndpoint === undefined ? {} : { LAMBDA_ENDPOINT: options.lambdaEndpoint }),
      ...options.environment,
    },
  });
  closeSync(log);
  const stop = async () => {
    await ended(child);
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const endpoint = `http://localhost:${await portOf(child)}`;
    await answers(endpoint);
    return {
      endpoint,
      config: {
        endpoint,
        region: options.region ?? 'eu-central-1',
        credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
      },
      log: () => readFile(logFile, 'utf8'),
      setSpeed: (speed) => setSpeed(endpoint, speed),
      stop,
    };
  } catch (error) {
    const written = await readFile(logFile, 'utf8');
    await stop();
    throw new Error(`moto did not start: ${written.slice(-2_000)}`, { cause: error });
  }
}

async function setSpeed(endpoint: string, speed: number): Promise<void> {
  const request = { method: 'PUT', body: String(speed) };
  const response = await fetch(`${endpoint}/petra/step-functions-speed`, request);
  if (!response.ok) throw new Error(`moto answered ${response.status}: ${await response.text()}`);
}

async function portOf(child: ChildProcess): Promise<number> {
  const output = child.stdout;
  if (!output) throw new Error('moto has no standard output');
  const failed = new Promise<never>((_, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`moto ended with ${code}`)));
    setTimeout(() => reject(new Error('moto said no port in time')), startLimitMilliseconds).unref();
  });
  const said = (async () => {
    for await (const line of createInterface({ input: output })) {
      const port: unknown = JSON.parse(line).port;
      if (typeof port === 'number') return port;
    }
    throw new Error('moto said no port');
  })();
  return Promise.race([said, failed]);
}

async function answers(endpoint: string): Promise<void> {
  const response = await fetch(`${endpoint}/moto-api/data.json`, {
    signal: AbortSignal.timeout(startLimitMilliseconds),
  });
  if (!response.ok) throw new Error(`moto answered ${response.status}`);
  await response.arrayBuffer();
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const exit = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await exit;
}
