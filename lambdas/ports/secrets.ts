import { connectSecretsManager } from '../../adapters/secrets-manager-client.ts';
import { SecretsManagerSecrets } from '../../adapters/secrets-manager-secrets.ts';
import type { Secrets } from '../../core/ports.ts';
import { optionalEnv } from '../env.ts';
import type { Calls } from './patience.ts';

export function secrets(calls: Calls = {}): Secrets {
  const kmsKeyId = optionalEnv('SECRETS_KEY');
  return new SecretsManagerSecrets(connectSecretsManager(calls), kmsKeyId === undefined ? {} : { kmsKeyId });
}
