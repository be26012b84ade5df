// Policies of a template, read as IAM would.

import type { Resource, Synthesised } from './synthesise.ts';

export interface Statement {
  readonly Effect: 'Allow' | 'Deny';
  readonly Action: readonly string[];
  /** As JSON texts, for an ARN is mostly a function of CloudFormation. */
  readonly Resource: readonly string[];
  readonly Condition: unknown;
  readonly Principal: unknown;
}

interface RawStatement {
  readonly Effect: 'Allow' | 'Deny';
  readonly Action?: string | readonly string[];
  readonly NotAction?: unknown;
  readonly NotResource?: unknown;
  readonly Resource?: unknown;
  readonly Condition?: unknown;
  readonly Principal?: unknown;
}

/** Every policy document of the template, wherever it stands, with the path to it. */
export function allDocuments({
  resources,
}: Pick<Synthesised, 'resources'>): ReadonlyMap<string, Statement[]> {
  const found = new Map<string, Statement[]>();
  const visit = (value: unknown, at: string): void => {
    if (typeof value !== 'object' || value === null) return;
    if ('Statement' in value) found.set(at, statementsIn(value));
    else for (const [key, inner] of Object.entries(value)) visit(inner, `${at}.${key}`);
  };
  for (const [id, { Properties }] of Object.entries(resources)) visit(Properties, id);
  return found;
}

/** What a role's inline policies say, all of them or those of one name. */
export function inlineStatements(role: Resource, policyName?: string): Statement[] {
  const policies = (role.Properties.Policies ?? []) as readonly {
    readonly PolicyName: string;
    readonly PolicyDocument: object;
  }[];
  return policies
    .filter(({ PolicyName }) => policyName === undefined || PolicyName === policyName)
    .flatMap(({ PolicyDocument }) => statementsIn(PolicyDocument));
}

function statementsIn(document: object): Statement[] {
  const { Statement = [] } = document as { readonly Statement?: RawStatement | readonly RawStatement[] };
  return list(Statement).map((raw) => {
    // Neither is used, and both would hide what is allowed from the tests here.
    if (raw.NotAction !== undefined || raw.NotResource !== undefined)
      throw new Error('NotAction or NotResource');
    return {
      Effect: raw.Effect,
      Action: list(raw.Action ?? []),
      Resource: list(raw.Resource ?? []).map((one) => (typeof one === 'string' ? one : JSON.stringify(one))),
      Condition: raw.Condition,
      Principal: raw.Principal,
    };
  });
}

function list<T>(value: T | readonly T[]): readonly T[] {
  return Array.isArray(value) ? value : [value as T];
}

/** A part of the template as it is when deployed, in long values; only as exact as its length must be. */
export function rendered(part: unknown): string {
  return JSON.stringify(part, (_, value) => {
    if (typeof value !== 'object' || value === null) return value;
    if ('Ref' in value) return pseudo[String(value.Ref)] ?? 'x'.repeat(60);
    if ('Fn::GetAtt' in value) return 'x'.repeat(100);
    if (!('Fn::Join' in value)) return value;
    const [separator, pieces] = value['Fn::Join'] as [string, unknown[]];
    return pieces.map((piece) => JSON.parse(rendered(piece))).join(separator);
  });
}

const pseudo: Readonly<Record<string, string>> = {
  'AWS::Partition': 'aws-us-gov',
  'AWS::Region': 'ap-southeast-1',
  'AWS::AccountId': '111122223333',
  'AWS::StackName': 'p'.repeat(20),
};
