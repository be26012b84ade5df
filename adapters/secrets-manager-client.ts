import { SecretsManagerClient, type SecretsManagerClientConfig } from '@aws-sdk/client-secrets-manager';
import { awsCalls } from './aws-calls.ts';

/** A client of Secrets Manager; `config` may name a region or an endpoint. */
export function connectSecretsManager(config: SecretsManagerClientConfig = {}): SecretsManagerClient {
  return new SecretsManagerClient({ ...awsCalls, ...config });
}
