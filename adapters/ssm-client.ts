import { SSMClient, type SSMClientConfig } from '@aws-sdk/client-ssm';
import { awsCalls } from './aws-calls.ts';

/** A client of Systems Manager; `config` may name a region or an endpoint. */
export function connectSsm(config: SSMClientConfig = {}): SSMClient {
  return new SSMClient({ ...awsCalls, ...config });
}
