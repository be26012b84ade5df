// Runs the deployed functions, and answers the Invoke calls that moto passes on. Failures are told as Lambda tells them:
// by the header X-Amz-Function-Error, with the error's type and message as the body.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { isObject, textAt } from '../../core/json-fields.ts';
import type { DeployedFunction } from './deployed-functions.ts';
import type { FunctionProcesses } from './function-processes.ts';
import { listenOnLoopback, stopServer } from './loopback.ts';
import { Turns } from './turns.ts';

export interface Invoked {
  readonly failed: boolean;
  /** JSON: the output, or `errorType` and `errorMessage`. */
  readonly payload: string;
}

/** A function that is to be killed: its process, before its work begins or after it is done. */
export interface KillRule {
  readonly cluster: string;
  /** `init/launch-servers` */
  readonly function: string;
  readonly when: 'before' | 'after';
  /** How many invocations it happens to. */
  readonly times: number;
}

export interface PlannedKill extends KillRule {
  happened: number;
}

/** A wait whose time is up early, at its next look: real limits are up to two hours. */
export interface EarlyEnd {
  readonly cluster: string;
  /** The one that looks: `create/check-cluster` */
  readonly function: string;
}

const path = /^\/2015-03-31\/functions\/([^/]+)\/invocations$/;

export class LambdaHost {
  readonly #kills: PlannedKill[] = [];
  readonly #ends: EarlyEnd[] = [];
  readonly #log: (line: string) => void;
  readonly #turns: Turns;
  #functions: ReadonlyMap<string, DeployedFunction> = new Map();
  #processes: FunctionProcesses | undefined;
  #server: Server | undefined;
  /** Invocations by function. */
  readonly invocations = new Map<string, number>();

  /** `atOnce` of one function work, and what comes then waits: Lambda would start more, and has more processors. */
  constructor(log: (line: string) => void, atOnce = Number.POSITIVE_INFINITY) {
    this.#log = log;
    this.#turns = new Turns(atOnce);
  }

  /** Begins to listen; functions are unknown until `deploy`. */
  async start(): Promise<string> {
    const server = createServer((request, response) => {
      this.#answer(request, response).catch((error: unknown) => {
        this.#log(`lambda: ${request.url}: ${String(error)}`);
        response.writeHead(500).end();
      });
    });
    this.#server = server;
    return `http://127.0.0.1:${await listenOnLoopback(server)}`;
  }

  deploy(functions: readonly DeployedFunction[], processes: FunctionProcesses): void {
    this.#functions = new Map(functions.map((deployed) => [deployed.functionName, deployed]));
    this.#processes = processes;
  }

  kill(rule: KillRule): PlannedKill {
    const planned = { ...rule, happened: 0 };
    this.#kills.push(planned);
    return planned;
  }

  /** The function finds the deadline in its event passed, once. */
  end(wait: EarlyEnd): void {
    this.#ends.push(wait);
  }

  async stop(): Promise<void> {
    await this.#processes?.stop();
    await stopServer(this.#server);
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [, encoded = ''] = path.exec(request.url ?? '') ?? [];
    const deployed = this.#functions.get(decodeURIComponent(encoded));
    if (!deployed) return void response.writeHead(404).end();
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const event: unknown = JSON.parse(Buffer.concat(chunks).toString('utf8') || '{}');
    const cluster = textAt(event, 'operation', 'cluster');
    const { failed, payload } = await this.invoke(deployed, event, cluster);
    response.writeHead(200, {
      'content-type': 'application/json',
      ...(failed ? { 'x-amz-function-error': 'Unhandled' } : {}),
    });
    response.end(payload);
  }

  /** Runs a function to its end. `cluster` is what the invocation is about. */
  invoke(deployed: DeployedFunction, event: unknown, cluster: string | undefined): Promise<Invoked> {
    return this.#turns.take(deployed.name, () => this.#run(deployed, event, cluster));
  }

  async #run(deployed: DeployedFunction, event: unknown, cluster: string | undefined): Promise<Invoked> {
    this.invocations.set(deployed.name, (this.invocations.get(deployed.name) ?? 0) + 1);
    const processes = this.#processes;
    if (!processes) throw new Error('nothing is deployed yet');
    const inTime = this.#takeEnd(deployed.name, cluster) ? withPassedDeadline(event) : event;
    const process = await processes.take(deployed);
    process.principal.cluster = cluster;
    const kill = this.#takeKill(deployed.name, cluster);
    if (kill === 'before') {
      await process.kill();
      return exitError();
    }
    const result = await process.invoke(inTime, deployed.timeoutSeconds);
    if (result === 'timed out' || result === 'exited' || kill === 'after') await process.kill();
    else await processes.giveBack(process);
    if (kill === 'after' || result === 'exited') return exitError();
    if (result === 'timed out') {
      this.#log(`lambda: ${deployed.name} timed out`);
      return failure('Sandbox.Timedout', `Task timed out after ${deployed.timeoutSeconds}.00 seconds`);
    }
    if ('output' in result) return { failed: false, payload: result.output };
    this.#log(`lambda: ${deployed.name} of ${cluster}: ${result.error.errorType}`);
    return { failed: true, payload: JSON.stringify(result.error) };
  }

  #takeKill(name: string, cluster: string | undefined): KillRule['when'] | undefined {
    const rule = this.#kills.find(
      (kill) => kill.function === name && kill.cluster === cluster && kill.happened < kill.times,
    );
    if (!rule) return undefined;
    rule.happened += 1;
    this.#log(`lambda: ${name} of ${cluster} is killed ${rule.when} its work`);
    return rule.when;
  }

  #takeEnd(name: string, cluster: string | undefined): boolean {
    const index = this.#ends.findIndex((end) => end.function === name && end.cluster === cluster);
    if (index < 0) return false;
    this.#ends.splice(index, 1);
    this.#log(`lambda: ${name} of ${cluster} finds its deadline passed`);
    return true;
  }
}

function withPassedDeadline(event: unknown): unknown {
  return isObject(event) ? { ...event, deadline: new Date(0).toISOString() } : event;
}

function exitError(): Invoked {
  return failure('Runtime.ExitError', 'Runtime exited with error: signal: killed');
}

function failure(errorType: string, errorMessage: string): Invoked {
  return { failed: true, payload: JSON.stringify({ errorType, errorMessage }) };
}
