import { Effect, PolicyDocument, PolicyStatement } from 'aws-cdk-lib/aws-iam';

/** A statement of a policy, before the CDK has it. */
export interface Permission {
  readonly actions: readonly string[];
  readonly resources: readonly string[];
  readonly conditions?: Conditions;
  readonly effect?: Effect;
  /** Why a resource is named by a pattern, when one is. */
  readonly why?: string | undefined;
}

export type Conditions = Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>>;

export function statement({ actions, resources, conditions, effect }: Permission): PolicyStatement {
  return new PolicyStatement({
    effect: effect ?? Effect.ALLOW,
    actions: [...actions],
    resources: [...resources],
    ...(conditions && { conditions }),
  });
}

/** Inline policies by their names. */
export function documents(
  policies: Readonly<Record<string, readonly Permission[]>>,
): Record<string, PolicyDocument> {
  return Object.fromEntries(
    Object.entries(policies).map(([name, permissions]) => [
      name,
      new PolicyDocument({ statements: permissions.map(statement) }),
    ]),
  );
}
