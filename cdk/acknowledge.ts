// cdk-nag's findings that are as they should be, with the reason beside the resource.

import { Stack, Validations } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';

/** Says why a finding on a resource, or on what is below it, is as it should be. */
export function acknowledge(construct: IConstruct, reasons: Readonly<Record<string, string>>): void {
  for (const [id, reason] of Object.entries(reasons)) Validations.of(construct).acknowledge({ id, reason });
}

/** Resources of a statement, with the reason when one is named by a pattern. */
export interface Named {
  readonly resources: readonly string[];
  readonly why?: string | undefined;
}

/** Says why the policies of a role name some resources by patterns; what gives no reason stays a finding. */
export function acknowledgePatterns(construct: IConstruct, statements: readonly Named[]): void {
  const reasons = new Map<string, Set<string>>();
  for (const { resources, why } of statements) {
    if (why === undefined) continue;
    for (const resource of resources) {
      const shown = asFindingsShow(Stack.of(construct).resolve(resource));
      if (!shown.includes('*')) continue;
      reasons.set(shown, (reasons.get(shown) ?? new Set()).add(why));
    }
  }
  for (const [resource, why] of reasons)
    acknowledge(construct, { [`AwsSolutions-IAM5[Resource::${resource}]`]: [...why].join(' ') });
}

/** An ARN with its references, in the words of cdk-nag: `arn:<AWS::Partition>:…`. */
function asFindingsShow(arn: unknown): string {
  if (typeof arn !== 'object' || arn === null) return String(arn);
  if ('Ref' in arn) return `<${arn.Ref}>`;
  if ('Fn::GetAtt' in arn) return `<${[arn['Fn::GetAtt']].flat().join('.')}>`;
  // The CDK writes an ARN with references in no other way.
  const [separator, pieces] = (arn as { readonly 'Fn::Join': readonly [string, readonly unknown[]] })[
    'Fn::Join'
  ];
  return pieces.map(asFindingsShow).join(separator);
}
