// Processes that stand in for Lambda's execution environments: each imports one function's bundle and handles one
// invocation at a time; concurrent invocations get processes of their own, and as many idle ones are kept as memory allows.

import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { closeSync, openSync } from 'node:fs';
import path from 'node:path';
import type { DeployedFunction } from './deployed-functions.ts';
import type { InvocationMessage, InvocationResult } from './function-process.ts';
import type { Principal, Principals } from './principals.ts';

/** A process with the SDK in it takes about this much; a start takes a second of a core. */
const processBytes = 200 * 1024 * 1024;
const idleLimits = { least: 8, most: 80 };

const startLimitMilliseconds = 60_000;

export interface FunctionProcess {
  readonly function: DeployedFunction;
  readonly principal: Principal;
  /** Hands over an event; what kills or times out the process is told by its own errors. */
  invoke(event: unknown, timeoutSeconds: number): Promise<InvocationResult | 'exited' | 'timed out'>;
  kill(): Promise<void>;
}

export class FunctionProcesses {
  readonly #idle: FunctionProcess[] = [];
  readonly #all = new Set<FunctionProcess>();
  readonly #parts: {
    readonly principals: Principals;
    readonly principalOf: (deployed: DeployedFunction) => Principal;
    readonly openPorts: (deployed: DeployedFunction) => readonly number[];
    readonly edge: string;
    readonly region: string;
    readonly logs: string;
    readonly cache: string;
    readonly authority: string;
  };
  readonly #idleLimit = Math.max(
    idleLimits.least,
    Math.min(idleLimits.most, Math.floor(process.availableMemory() / 2 / processBytes)),
  );
  /** How many were started. */
  started = 0;

  constructor(parts: {
    readonly principals: Principals;
    readonly principalOf: (deployed: DeployedFunction) => Principal;
    /** Ports on the loopback interface that the function's network leads to. */
    readonly openPorts: (deployed: DeployedFunction) => readonly number[];
    readonly edge: string;
    readonly region: string;
    /** Where what functions print goes, one file for each. */
    readonly logs: string;
    readonly cache: string;
    /** File with the authority of the mirror's certificate: Lambda would know a public one. */
    readonly authority: string;
  }) {
    this.#parts = parts;
  }

  async take(deployed: DeployedFunction): Promise<FunctionProcess> {
    const index = this.#idle.findLastIndex((idle) => idle.function === deployed);
    const [idle] = index < 0 ? [] : this.#idle.splice(index, 1);
    return idle ?? this.#start(deployed);
  }

  /** Keeps the process for the next invocation; the one that was idle longest may go for it. */
  async giveBack(process: FunctionProcess): Promise<void> {
    process.principal.cluster = undefined;
    this.#idle.push(process);
    if (this.#idle.length > this.#idleLimit) await this.#idle.shift()?.kill();
  }

  async stop(): Promise<void> {
    this.#idle.length = 0;
    await Promise.all([...this.#all].map((process) => process.kill()));
  }

  async #start(deployed: DeployedFunction): Promise<FunctionProcess> {
    const { principals, principalOf, openPorts, edge, region, logs, cache, authority } = this.#parts;
    this.started += 1;
    const principal = principalOf(deployed);
    const credentials = principals.admit(principal);
    const log = openSync(path.join(logs, `${deployed.name.replace('/', '-')}.log`), 'a', 0o600);
    const child = spawn(
      process.execPath,
      [
        `--max-old-space-size=${deployed.memoryMegabytes}`,
        path.join(import.meta.dirname, 'function-process.ts'),
        deployed.bundle,
        deployed.handler,
        cache,
        ...openPorts(deployed).map(String),
      ],
      {
        stdio: ['ignore', log, log, 'ipc'],
        env: {
          ...deployed.environment,
          AWS_REGION: region,
          AWS_DEFAULT_REGION: region,
          AWS_LAMBDA_FUNCTION_NAME: deployed.functionName,
          AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(deployed.memoryMegabytes),
          AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
          AWS_ACCESS_KEY_ID: credentials.accessKeyId,
          AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
          AWS_ENDPOINT_URL: edge,
          NODE_EXTRA_CA_CERTS: authority,
          TZ: ':UTC',
        },
      },
    );
    closeSync(log);
    principal.kill = () => void child.kill('SIGKILL');
    const exited = new Promise<void>((resolve) => {
      child.once('exit', () => resolve());
      child.once('error', () => resolve());
    });
    const started: FunctionProcess = {
      function: deployed,
      principal,
      invoke: (event, timeoutSeconds) => invoke(child, deployed, event, timeoutSeconds, exited),
      kill: async () => {
        child.kill('SIGKILL');
        await exited;
      },
    };
    this.#all.add(started);
    void exited.then(() => {
      this.#all.delete(started);
      const index = this.#idle.indexOf(started);
      if (index >= 0) this.#idle.splice(index, 1);
    });
    await ready(child, exited, deployed.name);
    return started;
  }
}

async function ready(child: ChildProcess, exited: Promise<void>, name: string): Promise<void> {
  const said = new Promise<void>((resolve, reject) => {
    child.once('message', () => resolve());
    setTimeout(() => reject(new Error(`${name} did not load in time`)), startLimitMilliseconds).unref();
  });
  const lost = exited.then(() => {
    throw new Error(`${name} ended while it loaded its bundle; see its log`);
  });
  await Promise.race([said, lost]);
}

async function invoke(
  child: ChildProcess,
  deployed: DeployedFunction,
  event: unknown,
  timeoutSeconds: number,
  exited: Promise<void>,
): Promise<InvocationResult | 'exited' | 'timed out'> {
  const message: InvocationMessage = {
    event,
    requestId: randomUUID(),
    functionArn: deployed.arn,
    deadline: Date.now() + timeoutSeconds * 1000,
  };
  let timer: NodeJS.Timeout | undefined;
  const answered = new Promise<InvocationResult>((resolve) => child.once('message', resolve));
  const late = new Promise<'timed out'>((resolve) => {
    timer = setTimeout(() => resolve('timed out'), timeoutSeconds * 1000);
  });
  child.send(message);
  try {
    return await Promise.race([answered, late, exited.then(() => 'exited' as const)]);
  } finally {
    clearTimeout(timer);
    child.removeAllListeners('message');
  }
}
