// Which IAM action a command of the AWS SDK needs. Most are named alike; sources of the exceptions: the service
// authorization reference, https://docs.aws.amazon.com/service-authorization/latest/reference/

/** Prefix of a package's actions in IAM. */
const services: Readonly<Record<string, string>> = {
  'client-dynamodb': 'dynamodb',
  'client-ec2': 'ec2',
  'client-elastic-load-balancing-v2': 'elasticloadbalancing',
  'client-eventbridge': 'events',
  'client-iam': 'iam',
  'client-resource-groups-tagging-api': 'tag',
  'client-s3': 's3',
  'client-secrets-manager': 'secretsmanager',
  'client-service-quotas': 'servicequotas',
  'client-sfn': 'states',
  'client-ssm': 'ssm',
  'lib-dynamodb': 'dynamodb',
};

const namedOtherwise: Readonly<Record<string, string>> = {
  's3:HeadBucket': 's3:ListBucket',
  's3:HeadObject': 's3:GetObject',
  's3:ListObjectsV2': 's3:ListBucket',
};

/** The document client names item operations shorter. */
const documentCommands: Readonly<Record<string, string>> = {
  BatchGet: 'BatchGetItem',
  BatchWrite: 'BatchWriteItem',
  Delete: 'DeleteItem',
  Get: 'GetItem',
  Put: 'PutItem',
  Query: 'Query',
  Scan: 'Scan',
  Update: 'UpdateItem',
};

/** What a waiter asks for until it has come. */
const waiters: Readonly<Record<string, string>> = {
  waitUntilTableExists: 'DescribeTable',
};

/**
 * The IAM action behind something that an SDK package exports: a command, a paginator or a waiter. Undefined for the
 * rest: clients, types, errors. @throws for what this file does not know, so that nothing is left out unseen
 */
export function actionOf(packageName: string, exported: string): string | undefined {
  const operation = operationOf(packageName, exported);
  if (operation === undefined) return undefined;
  const prefix = services[packageName];
  if (prefix === undefined) throw new Error(`the IAM prefix of @aws-sdk/${packageName} is not known`);
  const action = `${prefix}:${operation}`;
  return namedOtherwise[action] ?? action;
}

function operationOf(packageName: string, exported: string): string | undefined {
  const waited = /^waitUntil/.test(exported) ? waiters[exported] : undefined;
  if (/^waitUntil/.test(exported) && waited === undefined)
    throw new Error(`what ${exported} asks for is not known`);
  const name = waited ?? exported.match(/^paginate(\w+)$/)?.[1] ?? exported.match(/^(\w+)Command$/)?.[1];
  if (name === undefined || packageName !== 'lib-dynamodb') return name;
  const operation = documentCommands[name];
  if (operation === undefined)
    throw new Error(`the operation of the document client's ${exported} is not known`);
  return operation;
}
