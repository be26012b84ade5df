// What holds the fleet: one table, and one bucket for release files. Both outlive the stack.

import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import { AttributeType, BillingMode, ProjectionType, Table, TableEncryption } from 'aws-cdk-lib/aws-dynamodb';
import { type IKey, Key } from 'aws-cdk-lib/aws-kms';
import { BlockPublicAccess, Bucket, BucketEncryption, ObjectOwnership } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { acknowledge } from './acknowledge.ts';
import type { PetraSettings } from './settings.ts';

const indexed = ['collection', 'owner'];
export const indexNames = indexed.map((attribute) => `by-${attribute}`);

export class Storage extends Construct {
  readonly table: Table;
  readonly bucket: Bucket;

  constructor(scope: Construct, { kmsKeyArn }: PetraSettings) {
    super(scope, 'Storage');
    const key = kmsKeyArn === undefined ? undefined : Key.fromKeyArn(this, 'Key', kmsKeyArn);
    this.table = fleetTable(this, key);
    this.bucket = artifactsBucket(this, key);
  }
}

/** Keys and indexes as adapters/dynamodb-table.ts defines them; a test compares the two. */
function fleetTable(scope: Construct, key: IKey | undefined): Table {
  const attribute = (name: string) => ({ name, type: AttributeType.STRING });
  const table = new Table(scope, 'Fleet', {
    partitionKey: attribute('pk'),
    sortKey: attribute('sk'),
    billingMode: BillingMode.PAY_PER_REQUEST,
    ...(key
      ? { encryption: TableEncryption.CUSTOMER_MANAGED, encryptionKey: key }
      : { encryption: TableEncryption.AWS_MANAGED }),
    pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
    timeToLiveAttribute: 'expiresAt',
    deletionProtection: true,
    removalPolicy: RemovalPolicy.RETAIN,
  });
  for (const name of indexed) {
    table.addGlobalSecondaryIndex({
      indexName: `by-${name}`,
      partitionKey: attribute(name),
      sortKey: attribute('position'),
      projectionType: ProjectionType.KEYS_ONLY,
    });
  }
  return table;
}

function artifactsBucket(scope: Construct, key: IKey | undefined): Bucket {
  const bucket = new Bucket(scope, 'Artifacts', {
    blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
    objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
    enforceSSL: true,
    minimumTLSVersion: 1.2,
    versioned: true,
    ...(key
      ? { encryption: BucketEncryption.KMS, encryptionKey: key, bucketKeyEnabled: true }
      : { encryption: BucketEncryption.S3_MANAGED }),
    lifecycleRules: [
      // An object is only ever replaced when its content was not what its name says.
      {
        noncurrentVersionExpiration: Duration.days(30),
        abortIncompleteMultipartUploadAfter: Duration.days(7),
      },
    ],
    removalPolicy: RemovalPolicy.RETAIN,
  });
  acknowledge(bucket, {
    'AwsSolutions-S1':
      'Holds published release files by their sum, nothing of the fleet. Who must know each access turns on data events in CloudTrail.',
  });
  return bucket;
}
