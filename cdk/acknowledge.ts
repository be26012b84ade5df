import { Validations } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';

/** Says beside a resource why a finding of cdk-nag on it, or below it, is as it should be. */
export function acknowledge(construct: IConstruct, reasons: Readonly<Record<string, string>>): void {
  for (const [id, reason] of Object.entries(reasons)) Validations.of(construct).acknowledge({ id, reason });
}
