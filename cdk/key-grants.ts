import type { Permission } from './statements.ts';

/** What a key of one's own asks of those who use what it encrypts, through the service that does so and not directly. */
export function keyPermissions(actions: readonly string[], kmsKeyArn: string | undefined): Permission[] {
  if (kmsKeyArn === undefined) return [];
  const launches = actions.includes('ec2:RunInstances');
  const services = [
    ...['dynamodb', 's3', 'secretsmanager'].filter((service) =>
      actions.some((action) => action.startsWith(`${service}:`)),
    ),
    ...(launches ? ['ec2'] : []),
  ];
  if (services.length === 0) return [];
  const via = { StringLike: { 'kms:ViaService': services.map((service) => `${service}.*.amazonaws.com`) } };
  const use = ['kms:Decrypt', 'kms:DescribeKey', 'kms:Encrypt', 'kms:GenerateDataKey'];
  const resources = [kmsKeyArn];
  if (!launches) return [{ actions: use, resources, conditions: via }];
  // What EC2 asks of who launches: Amazon EBS User Guide, "Requirements for Amazon EBS encryption". The last two are for
  // an image that is encrypted already.
  const launch = ['kms:GenerateDataKeyWithoutPlaintext', 'kms:ReEncryptFrom', 'kms:ReEncryptTo'];
  return [
    { actions: [...use, ...launch], resources, conditions: via },
    // EC2 keeps a grant for as long as the volume is attached.
    {
      actions: ['kms:CreateGrant'],
      resources,
      conditions: { ...via, Bool: { 'kms:GrantIsForAWSResource': 'true' } },
    },
  ];
}
