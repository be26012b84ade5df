import { IAMClient, type IAMClientConfig } from '@aws-sdk/client-iam';
import { awsCalls } from './aws-calls.ts';

/** A client of IAM, which is one for a partition; `config` may name a region or an endpoint. */
export function connectIam(config: IAMClientConfig = {}): IAMClient {
  return new IAMClient({ ...awsCalls, ...config });
}
