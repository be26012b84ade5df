import { EC2Client, type EC2ClientConfig } from '@aws-sdk/client-ec2';
import { awsCalls } from './aws-calls.ts';

/** A client of EC2; `config` may name a region or an endpoint. */
export function connectEc2(config: EC2ClientConfig = {}): EC2Client {
  return new EC2Client({ ...awsCalls, ...config });
}
