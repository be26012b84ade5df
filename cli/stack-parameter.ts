// Where a stack of Petra says how to reach it: the SSM parameter /petra/STACK/api, written when the stack is deployed.

import {
  GetParameterCommand,
  GetParametersByPathCommand,
  ParameterNotFound,
  SSMClient,
} from '@aws-sdk/client-ssm';
import { PetraError } from '../core/errors.ts';
import { isObject } from '../core/json-fields.ts';
import { nearest } from '../core/nearest-word.ts';
import type { Credentials } from './aws-credentials.ts';
import { partitionOf } from './aws-hosts.ts';
import type { CallerIdentity } from './caller-identity.ts';

export interface StackApi {
  readonly endpoint: string;
  readonly region: string;
  readonly version: string;
  readonly partition: string;
}

export interface ParameterSource {
  readonly region: string;
  credentials(): Promise<Credentials>;
  whoAmI(): Promise<CallerIdentity>;
  /** The error for credentials that were found and do not count any more. */
  expired(cause: unknown): Promise<PetraError>;
}

function clientOf({ region, credentials }: ParameterSource): SSMClient {
  return new SSMClient({
    region,
    credentials,
    // A person waits: three tries of at most ten seconds, and a quick end where nobody listens.
    maxAttempts: 3,
    requestHandler: { connectionTimeout: 5000, requestTimeout: 10_000 },
  });
}

/** The parameter that a stack of this name writes. */
export function parameterOf(stack: string): string {
  return `/petra/${stack}/api`;
}

/** Names of the stacks in the region; empty when nobody may list them. */
export async function stackNames(source: ParameterSource): Promise<readonly string[]> {
  const client = clientOf(source);
  const names: string[] = [];
  let next: string | undefined;
  try {
    do {
      const page = await client.send(
        new GetParametersByPathCommand({ Path: '/petra/', Recursive: true, NextToken: next }),
      );
      for (const { Name = '' } of page.Parameters ?? []) {
        const [, name] = /^\/petra\/([^/]+)\/api$/.exec(Name) ?? [];
        if (name !== undefined) names.push(name);
      }
      next = page.NextToken;
    } while (next !== undefined);
  } catch {
    // The list only helps with a name that was not found.
  }
  return names;
}

/**
 * How to reach the API of a stack.
 * @throws StackNotFound, PermissionMissing, PetraUnreachable, and what finding credentials throws
 */
export async function readStackApi(stack: string, source: ParameterSource): Promise<StackApi> {
  const name = parameterOf(stack);
  let value: string | undefined;
  try {
    value = (await clientOf(source).send(new GetParameterCommand({ Name: name }))).Parameter?.Value;
  } catch (error) {
    throw await translate(error, stack, source);
  }
  return parseStackApi(name, value);
}

function parseStackApi(name: string, text: string | undefined): StackApi {
  let value: unknown;
  try {
    value = JSON.parse(text ?? '');
  } catch {
    value = undefined;
  }
  if (isObject(value)) {
    const { endpoint, region, version, partition } = value;
    if (
      typeof endpoint === 'string' &&
      URL.canParse(endpoint) &&
      typeof region === 'string' &&
      typeof version === 'string' &&
      typeof partition === 'string'
    ) {
      return { endpoint, region, version, partition };
    }
  }
  throw new PetraError('StackNotFound', `the parameter ${name} is not one that a stack of Petra writes`, {
    evidence: [`it holds: ${(text ?? 'nothing').slice(0, 200)}`],
    fix: 'Deploy the stack again, which writes it anew.',
  });
}

/** SDK errors as Petra's; those of finding credentials already are. */
async function translate(error: unknown, stack: string, source: ParameterSource): Promise<PetraError> {
  if (error instanceof PetraError) return error;
  const code = error instanceof Error ? error.name : '';
  if (error instanceof ParameterNotFound) return await stackNotFound(error, stack, source);
  if (/AccessDenied/.test(code)) return await mayNotRead(error, stack, source);
  if (/ExpiredToken/.test(code)) return await source.expired(error);
  if (/UnrecognizedClient|InvalidClientToken|InvalidSignature|SignatureDoesNotMatch/.test(code)) {
    const message = `AWS does not accept the credentials (${code})`;
    return new PetraError('CredentialsRefused', message, { cause: error });
  }
  if (/Throttl/.test(code)) {
    return new PetraError('Throttled', 'Systems Manager asks to slow down', { cause: error });
  }
  const { region } = source;
  return new PetraError('PetraUnreachable', `Systems Manager in ${region} does not answer`, {
    cause: error,
    fix: `Check the network, and whether ${region} is the region you mean (--region).`,
  });
}

async function stackNotFound(cause: unknown, stack: string, source: ParameterSource): Promise<PetraError> {
  const { region } = source;
  const parameter = parameterOf(stack);
  const [caller, stacks] = await Promise.all([source.whoAmI(), stackNames(source)]);
  const near = nearest(stack, stacks);
  const where = caller.kind === 'known' ? `account ${caller.account}, ${region}` : region;
  return new PetraError('StackNotFound', `there is no stack of Petra named "${stack}" in ${where}`, {
    cause,
    evidence: [
      `looked for the parameter ${parameter}`,
      ...(stacks.length > 0 ? [`there are the stacks ${stacks.join(', ')}`] : []),
    ],
    ...(near === undefined
      ? {}
      : { fix: `Did you mean \`petra config use-stack ${near} --region ${region}\`?` }),
    details: { parameter, region, stacks },
  });
}

async function mayNotRead(cause: unknown, stack: string, source: ParameterSource): Promise<PetraError> {
  const { region } = source;
  const caller = await source.whoAmI();
  const [who, account] = caller.kind === 'known' ? [caller.arn, caller.account] : ['the caller', '*'];
  const resource = `arn:${partitionOf(region)}:ssm:${region}:${account}:parameter${parameterOf(stack)}`;
  const message = `${who} may not read the parameter ${parameterOf(stack)}`;
  return new PetraError('PermissionMissing', message, {
    cause,
    fix: `Allow the action ssm:GetParameter on ${resource}, or choose other credentials with --profile.`,
    details: { action: 'ssm:GetParameter', resource },
  });
}
