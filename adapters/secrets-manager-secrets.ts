import {
  CreateSecretCommand,
  DeleteSecretCommand,
  DescribeSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  paginateListSecrets,
  type SecretsManagerClient,
  type Tag,
} from '@aws-sdk/client-secrets-manager';
import { PetraError } from '../core/errors.ts';
import { joinTokenSecretName, kubeconfigSecretName } from '../core/management/secret-names.ts';
import type { Secrets } from '../core/ports.ts';
import { translateAwsError } from './aws-errors.ts';

interface Secret {
  readonly name: string;
  readonly cluster: string;
  readonly uid: string;
  readonly value: string;
}

/** Kubeconfigs and join tokens in AWS Secrets Manager, in the region of the client. */
export class SecretsManagerSecrets implements Secrets {
  readonly #client: SecretsManagerClient;
  readonly #kmsKeyId: string | undefined;

  /** Without a key of one's own, secrets are encrypted with the account's `aws/secretsmanager`. */
  constructor(client: SecretsManagerClient, options: { readonly kmsKeyId?: string } = {}) {
    this.#client = client;
    this.#kmsKeyId = options.kmsKeyId;
  }

  async createOnce(secret: Secret): Promise<boolean> {
    try {
      await this.#create(secret);
      return true;
    } catch (error) {
      if (isNamed(error, 'ResourceExistsException')) return false;
      throw translate(error, `create the secret ${secret.name}`);
    }
  }

  async put(secret: Secret): Promise<void> {
    try {
      if (await this.#write(secret)) return;
      try {
        await this.#create(secret);
      } catch (error) {
        if (!isNamed(error, 'ResourceExistsException')) throw error;
        // Someone else created it in between.
        if (!(await this.#write(secret))) throw error;
      }
    } catch (error) {
      throw translate(error, `write the secret ${secret.name}`);
    }
  }

  async read(name: string): Promise<string | undefined> {
    try {
      return (await this.#client.send(new GetSecretValueCommand({ SecretId: name }))).SecretString;
    } catch (error) {
      // A secret without a value, as `createOnce` makes it, is "not found" as well.
      if (isNamed(error, 'ResourceNotFoundException') || isBeingDeleted(error)) return undefined;
      throw translate(error, `read the secret ${name}`);
    }
  }

  /**
   * ListSecrets follows writes with a delay of up to five minutes, in both directions (so says its reference). What it
   * finds is therefore looked up, and so are the names that every cluster's secrets have.
   */
  async list(uid: string): Promise<readonly string[]> {
    try {
      const names = new Set([joinTokenSecretName(uid), kubeconfigSecretName(uid)]);
      // The filter means "begins with", and any tag's value.
      const filters = { Filters: [{ Key: 'tag-value' as const, Values: [uid] }] };
      for await (const page of paginateListSecrets({ client: this.#client, pageSize: 100 }, filters)) {
        for (const { Name, Tags } of page.SecretList ?? []) if (Name && hasUid(Tags, uid)) names.add(Name);
      }
      const found = [];
      for (const name of names) if (await this.#isOf(name, uid)) found.push(name);
      return found;
    } catch (error) {
      throw translate(error, `list the secrets of ${uid}`);
    }
  }

  async remove(name: string): Promise<void> {
    try {
      await this.#client.send(new DeleteSecretCommand({ SecretId: name, ForceDeleteWithoutRecovery: true }));
    } catch (error) {
      if (isNamed(error, 'ResourceNotFoundException')) return;
      throw translate(error, `remove the secret ${name}`);
    }
  }

  async #create({ name, cluster, uid, value }: Secret): Promise<void> {
    await this.#client.send(
      new CreateSecretCommand({
        Name: name,
        // Secrets Manager refuses an empty value: such a secret has none until it is written.
        ...(value === '' ? {} : { SecretString: value }),
        ...(this.#kmsKeyId === undefined ? {} : { KmsKeyId: this.#kmsKeyId }),
        Description: `Written by Petra for the cluster ${cluster}.`,
        Tags: [
          { Key: 'petra.sh/uid', Value: uid },
          { Key: 'petra.sh/cluster', Value: cluster },
          { Key: 'Name', Value: name },
        ],
      }),
    );
  }

  /** `false` when there is no such secret. */
  async #write({ name, value }: Secret): Promise<boolean> {
    try {
      await this.#client.send(new PutSecretValueCommand({ SecretId: name, SecretString: value }));
      return true;
    } catch (error) {
      if (isNamed(error, 'ResourceNotFoundException')) return false;
      throw error;
    }
  }

  async #isOf(name: string, uid: string): Promise<boolean> {
    try {
      const { Tags, DeletedDate } = await this.#client.send(new DescribeSecretCommand({ SecretId: name }));
      return DeletedDate === undefined && hasUid(Tags, uid);
    } catch (error) {
      if (isNamed(error, 'ResourceNotFoundException')) return false;
      throw error;
    }
  }
}

function hasUid(tags: readonly Tag[] | undefined, uid: string): boolean {
  return tags?.some(({ Key, Value }) => Key === 'petra.sh/uid' && Value === uid) ?? false;
}

function isNamed(error: unknown, name: string): boolean {
  return error instanceof Error && error.name === name;
}

/** The one name InvalidRequestException covers much; a deletion can only be told by its text, which differs by the call. */
function isBeingDeleted(error: unknown): error is Error {
  return (
    error instanceof Error &&
    error.name === 'InvalidRequestException' &&
    /\b(?:marked|scheduled)\b.*\bdelet/.test(error.message)
  );
}

function translate(error: unknown, doing: string): unknown {
  if (!isBeingDeleted(error)) return translateAwsError(error, doing);
  return new PetraError('AwsUnavailable', `cannot ${doing}: ${error.name}: ${error.message}`, {
    cause: error,
    details: { awsError: error.name },
    fix: 'The secret of that name is still being deleted. Repeat the command in some minutes; if it was deleted by hand with a recovery window, restore it first.',
  });
}
