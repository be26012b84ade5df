// The edge of the virtual account: every call that a function or a node makes to AWS goes through here, to moto.
// It says who called what, refuses what a role or a network does not allow, makes faults happen that were asked for, and
// answers what moto cannot (moto-gaps.ts).

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { denied, type WireAnswer } from './aws-refusals.ts';
import { type AwsRequest, readAwsRequest, type WireRequest } from './aws-request.ts';
import { FaultPlan, refusalOf } from './edge-faults.ts';
import { type ForwardedAnswer, forwardTo, readWhole, sendWhole } from './forwarding.ts';
import { listenOnLoopback, stopServer } from './loopback.ts';
import type { Principal, Principals } from './principals.ts';
import { isAllowed, type Question } from './role-policies.ts';

/** Something that must not have happened: a call that a role or a network does not allow. */
export interface Violation {
  readonly principal: string;
  readonly action: string;
  readonly why: 'no permission' | 'not reachable from its network' | 'unknown access key';
  readonly resource?: string;
}

/** Sends a request on to moto. */
export type Forward = (wire: WireRequest) => Promise<ForwardedAnswer>;

/** Takes over a call that moto does not answer as AWS does; undefined: it goes to moto. */
export type Mend = (
  request: AwsRequest,
  wire: WireRequest,
  forward: Forward,
) => Promise<WireAnswer | ForwardedAnswer | undefined>;

/** Condition keys of a request that moto knows the values of. */
export type KeysOf = (request: AwsRequest) => Promise<Question['keys']>;

export class Edge {
  readonly faults = new FaultPlan();
  readonly violations: Violation[] = [];
  /** Calls by principal and action. */
  readonly calls = new Map<string, Map<string, number>>();
  /** Everything that was sent to Step Functions. */
  readonly toStepFunctions: string[] = [];
  readonly #parts: {
    readonly upstream: string;
    readonly account: string;
    readonly principals: Principals;
    readonly keysOf: KeysOf;
    readonly mends: readonly Mend[];
    readonly log: (line: string) => void;
  };
  #server: Server | undefined;

  constructor(parts: {
    readonly upstream: string;
    readonly account: string;
    readonly principals: Principals;
    readonly keysOf: KeysOf;
    readonly mends: readonly Mend[];
    readonly log: (line: string) => void;
  }) {
    this.#parts = parts;
  }

  async start(): Promise<string> {
    const server = createServer((request, response) => {
      this.#answer(request, response).catch((error: unknown) => {
        this.#parts.log(`edge: ${request.method} ${request.url}: ${String(error)}`);
        response.destroy();
      });
    });
    this.#server = server;
    return `http://127.0.0.1:${await listenOnLoopback(server)}`;
  }

  async stop(): Promise<void> {
    await stopServer(this.#server);
  }

  async #answer(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const wire = await readWhole(incoming);
    const { account, principals, keysOf, log } = this.#parts;
    const request = readAwsRequest(wire, account);
    const principal = principals.find(request.accessKeyId);
    const action = `${request.service}:${request.action}`;
    if (!principal) {
      this.#violate({ principal: request.accessKeyId, action, why: 'unknown access key' });
      response.destroy();
      return;
    }
    this.#count(principal.name, action);
    if (request.service === 'states') this.toStepFunctions.push(wire.body.toString('utf8'));
    if (principal.reaches && !principal.reaches.has(request.service)) {
      this.#violate({ principal: principal.name, action, why: 'not reachable from its network' });
      response.destroy();
      return;
    }
    const keys = { ...(await keysOf(request)), ...principal.keys };
    const refused = await this.#refusedAction(request, principal, keys);
    if (refused !== undefined) {
      const { resource } = request;
      this.#violate({
        principal: principal.name,
        action: refused,
        why: 'no permission',
        ...(resource === undefined ? {} : { resource }),
      });
      sendWhole(response, denied(request, principal.role));
      return;
    }
    const [verb = ''] = principal.name.split('/');
    const form = this.faults.take({
      cluster: principal.cluster,
      verb,
      action,
      parameters: request.parameters,
    });
    if (form !== undefined) {
      log(`edge: ${principal.name} of ${principal.cluster}: ${action} is ${form}`);
      const answer = refusalOf(form, request);
      if (answer) return sendWhole(response, answer);
      if (form === 'cut') return void response.destroy();
    }
    const answer = await this.#carryOut(request, wire);
    if (form === 'killed') return principal.kill?.();
    if (form === 'lost') return void response.destroy();
    // The client gives up by itself.
    if (form === 'hung') return;
    sendWhole(response, answer);
  }

  async #carryOut(request: AwsRequest, wire: WireRequest): Promise<WireAnswer | ForwardedAnswer> {
    const forward: Forward = (toSend) => forwardTo(this.#parts.upstream, toSend);
    for (const mend of this.#parts.mends) {
      const answer = await mend(request, wire, forward);
      if (answer) return answer;
    }
    const answer = await forward(wire);
    if (answer.status >= 500)
      this.#parts.log(`edge: moto answered ${request.service}:${request.action} with ${answer.status}`);
    return answer;
  }

  /** The first action that the request needs and the role does not allow. */
  async #refusedAction(
    request: AwsRequest,
    { statements }: Principal,
    keys: Question['keys'],
  ): Promise<string | undefined> {
    const action = `${request.service}:${request.action}`;
    const { resource } = request;
    const question = { action, keys, ...(resource === undefined ? {} : { resource }) };
    if (!isAllowed(statements, question)) return action;
    const companion = {
      ...keys,
      'ec2:CreateAction': [request.action],
      'iam:PassedToService': ['ec2.amazonaws.com'],
    };
    return companions(request).find((needed) => !isAllowed(statements, { action: needed, keys: companion }));
  }

  #violate(violation: Violation): void {
    this.#parts.log(`edge: ${violation.principal}: ${violation.action}: ${violation.why}`);
    this.violations.push(violation);
  }

  #count(principal: string, action: string): void {
    const actions = this.calls.get(principal) ?? new Map<string, number>();
    actions.set(action, (actions.get(action) ?? 0) + 1);
    this.calls.set(principal, actions);
  }
}

/** Actions that IAM asks for besides the call's own. */
function companions({ service, action, parameters }: AwsRequest): readonly string[] {
  const needed: string[] = [];
  const names = Object.keys(parameters);
  if (
    service === 'ec2' &&
    action !== 'CreateTags' &&
    names.some((name) => name.startsWith('TagSpecification'))
  )
    needed.push('ec2:CreateTags');
  if (service === 'ec2' && names.some((name) => name.startsWith('IamInstanceProfile')))
    needed.push('iam:PassRole');
  if (service === 'secretsmanager' && action === 'CreateSecret' && names.includes('Tags'))
    needed.push('secretsmanager:TagResource');
  return needed;
}
