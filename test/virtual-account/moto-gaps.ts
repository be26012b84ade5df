// Calls that moto does not answer as AWS's documentation says, answered here instead. Each is one function; docs/
// virtual-account.md lists them.

import { createHash } from 'node:crypto';
import { refusal, type WireAnswer } from './aws-refusals.ts';
import type { AwsRequest } from './aws-request.ts';
import type { Mend } from './edge.ts';
import type { ForwardedAnswer } from './forwarding.ts';
import { isAllowed, type Statement } from './role-policies.ts';

/** `iam:SimulatePrincipalPolicy`, which moto lacks: really evaluated, on the role's own policies. */
export function simulatePrincipalPolicy(statementsOf: (role: string) => Promise<readonly Statement[]>): Mend {
  return async ({ service, action, parameters, region }) => {
    if (service !== 'iam' || action !== 'SimulatePrincipalPolicy') return undefined;
    const statements = await statementsOf(String(parameters.PolicySourceArn));
    const keys = { 'aws:RequestedRegion': [contextRegion(parameters) ?? region] };
    const results = members(parameters, 'ActionNames').map((name) => {
      const decision = isAllowed(statements, { action: name, keys }) ? 'allowed' : 'implicitDeny';
      return `<member><EvalActionName>${name}</EvalActionName><EvalResourceName>*</EvalResourceName><EvalDecision>${decision}</EvalDecision></member>`;
    });
    return xml(
      `<SimulatePrincipalPolicyResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><SimulatePrincipalPolicyResult><IsTruncated>false</IsTruncated><EvaluationResults>${results.join('')}</EvaluationResults></SimulatePrincipalPolicyResult><ResponseMetadata><RequestId>0</RequestId></ResponseMetadata></SimulatePrincipalPolicyResponse>`,
    );
  };
}

function contextRegion(parameters: AwsRequest['parameters']): string | undefined {
  const named = Object.entries(parameters).find(([, value]) => value === 'aws:RequestedRegion');
  const prefix = named?.[0].replace(/ContextKeyName$/, '');
  const value = prefix === undefined ? undefined : parameters[`${prefix}ContextKeyValues.member.1`];
  return value === undefined ? undefined : String(value);
}

function members(parameters: AwsRequest['parameters'], list: string): readonly string[] {
  return Object.entries(parameters)
    .filter(([name]) => name.startsWith(`${list}.member.`))
    .map(([, value]) => String(value));
}

/** Calls of EC2 that Petra gives a `ClientToken`. */
const tokenActions = new Set(['RunInstances', 'CreateNetworkInterface']);

/**
 * `ClientToken`, which moto ignores: the same token and parameters give the same instance or interface again, an instance
 * in its present state; other parameters are refused.
 */
export function clientTokens(stateOf: (instanceId: string) => Promise<string>): Mend {
  const made = new Map<string, { readonly parameters: string; readonly answer: Promise<ForwardedAnswer> }>();
  return async (request, wire, forward) => {
    const { service, action, parameters, region } = request;
    const token = parameters.ClientToken;
    if (service !== 'ec2' || !tokenActions.has(action) || token === undefined) return undefined;
    const key = `${region} ${action} ${String(token)}`;
    const described = createHash('sha256').update(JSON.stringify(parameters)).digest('hex');
    const before = made.get(key);
    if (!before) {
      const answer = forward(wire);
      made.set(key, { parameters: described, answer });
      // What was refused leaves its token free.
      void answer.then(
        ({ status }) => status >= 400 && made.delete(key),
        () => made.delete(key),
      );
      return answer;
    }
    if (before.parameters !== described) {
      const message = 'The request uses the same client token as a previous, but non-identical request.';
      return refusal(request, 400, 'IdempotentParameterMismatch', message);
    }
    const answer = await before.answer;
    const text = answer.body.toString('utf8');
    const id = /<instanceId>(i-[0-9a-f]+)<\/instanceId>/.exec(text)?.[1];
    if (action !== 'RunInstances' || id === undefined) return answer;
    const name = await stateOf(id);
    const state = `<instanceState><code>${stateCodes[name] ?? 48}</code><name>${name}</name></instanceState>`;
    return { ...answer, body: Buffer.from(text.replace(/<instanceState>.*?<\/instanceState>/s, state)) };
  };
}

const stateCodes: Readonly<Record<string, number>> = {
  pending: 0,
  running: 16,
  'shutting-down': 32,
  terminated: 48,
  stopping: 64,
  stopped: 80,
};

/** `ssm:DescribeInstanceInformation`, which moto lacks: agents of the instances asked for, all heard of. */
export const describeInstanceInformation: Mend = async ({ service, action, parameters }) => {
  if (service !== 'ssm' || action !== 'DescribeInstanceInformation') return undefined;
  const filters = Array.isArray(parameters.Filters) ? parameters.Filters : [];
  const ids = filters.flatMap((filter: { Key?: string; Values?: string[] }) =>
    filter.Key === 'InstanceIds' ? (filter.Values ?? []) : [],
  );
  const now = Date.now() / 1000;
  const list = ids.map((InstanceId) => ({ InstanceId, PingStatus: 'Online', LastPingDateTime: now }));
  return json({ InstanceInformationList: list });
};

/** Quotas that moto knows nothing of, by their codes: those of an account of some age. */
const quotaLimits: Readonly<Record<string, number>> = {
  'L-1216C47A': 512,
  'L-0263D0A3': 100,
  'L-FE5A380F': 100,
  'L-F678F1CE': 100,
  'L-A4707A72': 100,
  'L-69A177A2': 100,
};

/** `servicequotas:GetServiceQuota` for EC2 and load balancing, which moto lacks. */
export const getServiceQuota: Mend = async (request) => {
  const { service, action, parameters } = request;
  if (service !== 'servicequotas' || action !== 'GetServiceQuota') return undefined;
  const { ServiceCode, QuotaCode } = parameters;
  const Value = quotaLimits[String(QuotaCode)];
  if (Value === undefined) return refusal(request, 400, 'NoSuchResourceException', `no quota ${QuotaCode}`);
  return json({ Quota: { ServiceCode, QuotaCode, Value, Adjustable: true, GlobalQuota: false } });
};

function json(body: unknown): WireAnswer {
  return {
    status: 200,
    headers: { 'content-type': 'application/x-amz-json-1.1' },
    body: JSON.stringify(body),
  };
}

function xml(body: string): WireAnswer {
  return { status: 200, headers: { 'content-type': 'text/xml' }, body };
}
