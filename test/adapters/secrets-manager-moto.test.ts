import { randomUUID } from 'node:crypto';
import {
  CreateSecretCommand,
  DeleteSecretCommand,
  DescribeSecretCommand,
  type SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectSecretsManager } from '../../adapters/secrets-manager-client.ts';
import { SecretsManagerSecrets } from '../../adapters/secrets-manager-secrets.ts';
import { type Moto, startMoto } from '../moto/start-moto.ts';
import { secretsContract } from './secrets.contract.ts';

let moto: Moto;
let client: SecretsManagerClient;
beforeAll(async () => {
  moto = await startMoto();
  client = connectSecretsManager(moto.config);
});
afterAll(async () => {
  client?.destroy();
  await moto?.stop();
});

secretsContract('Secrets Manager (moto)', async () => ({ secrets: new SecretsManagerSecrets(client) }));

describe('secrets in Secrets Manager', () => {
  function kubeconfig(value: string, uid: string = randomUUID()) {
    return { name: `petra/${uid}/kubeconfig`, cluster: 'payments', uid, value };
  }

  it('have the tags of the cluster, and the key that was given', async () => {
    const secret = kubeconfig('text');
    await new SecretsManagerSecrets(client, { kmsKeyId: 'alias/petra' }).put(secret);
    const described = await client.send(new DescribeSecretCommand({ SecretId: secret.name }));
    expect(described.KmsKeyId).toBe('alias/petra');
    expect(described.Tags).toEqual([
      { Key: 'petra.sh/uid', Value: secret.uid },
      { Key: 'petra.sh/cluster', Value: 'payments' },
      { Key: 'Name', Value: secret.name },
    ]);
  });

  it('are all listed, however many, and none whose uid only begins the same', async () => {
    const uid = randomUUID();
    const secrets = new SecretsManagerSecrets(client);
    // A page has 100.
    const names = Array.from({ length: 105 }, (_, index) => `petra/${uid}/${index}`);
    await Promise.all(names.map((name) => secrets.createOnce({ ...kubeconfig('x', uid), name })));
    await secrets.put({ ...kubeconfig('x', `${uid}0`) });
    await client.send(
      new CreateSecretCommand({ Name: `other/${uid}`, Tags: [{ Key: 'other', Value: uid }] }),
    );
    expect([...(await secrets.list(uid))].sort()).toEqual(names.sort());
  }, 120_000);

  it('that someone deletes with a recovery window are gone to Petra', async () => {
    const secret = kubeconfig('text');
    const secrets = new SecretsManagerSecrets(client);
    await secrets.put(secret);
    await client.send(new DeleteSecretCommand({ SecretId: secret.name, RecoveryWindowInDays: 7 }));
    expect(await secrets.read(secret.name)).toBeUndefined();
    expect(await secrets.list(secret.uid)).toEqual([]);
  });

  it.each([
    [
      'InvalidRequestException',
      "You can't create this secret because a secret with this name is already scheduled for deletion.",
      { code: 'AwsUnavailable', retryable: true },
    ],
    ['AccessDeniedException', 'not authorized', { code: 'AwsAccessDenied' }],
    ['ThrottlingException', 'Rate exceeded', { code: 'Throttled' }],
    ['InternalServiceError', 'on the server side', { code: 'AwsUnavailable' }],
    ['InvalidRequestException', 'something else', { name: 'InvalidRequestException' }],
  ])('are refused as %s: %s', async (name, message, expected) => {
    const refusing = connectSecretsManager(moto.config);
    refusing.middlewareStack.add(
      () => async () => {
        throw Object.assign(new Error(message), { name });
      },
      { step: 'initialize' },
    );
    const secrets = new SecretsManagerSecrets(refusing);
    await expect(secrets.createOnce(kubeconfig('x'))).rejects.toMatchObject(expected);
    await expect(secrets.put(kubeconfig('x'))).rejects.toMatchObject(expected);
  });
});
