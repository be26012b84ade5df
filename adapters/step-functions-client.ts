import { SFNClient, type SFNClientConfig } from '@aws-sdk/client-sfn';
import { awsCalls } from './aws-calls.ts';

/** A client of Step Functions; `config` may name a region or an endpoint. */
export function connectStepFunctions(config: SFNClientConfig = {}): SFNClient {
  return new SFNClient({ ...awsCalls, ...config });
}
