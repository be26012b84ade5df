import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3';
import { awsCalls } from './aws-calls.ts';

/** A client of S3; `config` may name a region or an endpoint. */
export function connectS3(config: S3ClientConfig = {}): S3Client {
  return new S3Client({ ...awsCalls, ...config });
}
