// Texts in an S3 bucket that are written once and do not change.

import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { GetObjectCommand, HeadObjectCommand, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { PetraError } from '../core/errors.ts';
import { translateAwsError } from './aws-errors.ts';

// S3 answers 409 when something else happens to the key meanwhile, and asks to try again. The SDK does not.
const conflictAttempts = 4;
const conflictPauseMilliseconds = 100;

/** The bucket of release files. */
export class S3Texts {
  readonly #client: S3Client;
  readonly #bucket: string;

  constructor(client: S3Client, bucket: string) {
    this.#client = client;
    this.#bucket = bucket;
  }

  /**
   * The text under a key; undefined where there is none. S3 says so only to those who may list the bucket: others get
   * `AwsAccessDenied`.
   */
  async read(key: string): Promise<string | undefined> {
    try {
      const { Body } = await this.#client.send(new GetObjectCommand({ Bucket: this.#bucket, Key: key }));
      return await Body?.transformToString('utf-8');
    } catch (error) {
      if (isNamed(error, 'NoSuchKey')) return undefined;
      throw this.#translate(error, `read ${key}`);
    }
  }

  /** Writes the text if the key is free; `false` when it was not. */
  async add(key: string, text: string): Promise<boolean> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        await this.#put(key, text, { IfNoneMatch: '*' });
        return true;
      } catch (error) {
        if (isNamed(error, 'PreconditionFailed')) return false;
        if (!isNamed(error, 'ConditionalRequestConflict') || attempt === conflictAttempts)
          throw this.#translate(error, `write ${key}`);
        await sleep(conflictPauseMilliseconds * attempt);
      }
    }
  }

  /** Writes the text, whatever was there. */
  async replace(key: string, text: string): Promise<void> {
    try {
      await this.#put(key, text);
    } catch (error) {
      throw this.#translate(error, `write ${key}`);
    }
  }

  /** Whether what is under the key has this sum, by what S3 itself computed when it was written. */
  async hasSum(key: string, sha256: string): Promise<boolean> {
    try {
      const { ChecksumSHA256 } = await this.#client.send(
        new HeadObjectCommand({ Bucket: this.#bucket, Key: key, ChecksumMode: 'ENABLED' }),
      );
      return ChecksumSHA256 === Buffer.from(sha256, 'hex').toString('base64');
    } catch (error) {
      if (isNamed(error, 'NotFound')) return false;
      throw this.#translate(error, `look at ${key}`);
    }
  }

  async #put(key: string, text: string, condition: { readonly IfNoneMatch?: '*' } = {}): Promise<void> {
    const body = Buffer.from(text);
    await this.#client.send(
      new PutObjectCommand({
        Bucket: this.#bucket,
        Key: key,
        Body: body,
        ContentType: 'text/plain; charset=utf-8',
        // S3 compares it with what arrives, and keeps it.
        ChecksumAlgorithm: 'SHA256',
        ChecksumSHA256: createHash('sha256').update(body).digest('base64'),
        ...condition,
      }),
    );
  }

  #translate(error: unknown, doing: string): unknown {
    if (isNamed(error, 'NoSuchBucket')) {
      return new PetraError('StorageUnavailable', `cannot ${doing}: there is no bucket ${this.#bucket}`, {
        cause: error,
        fix: `Bucket ${this.#bucket} does not exist in this account: deploy the Petra stack, or check the bucket's name.`,
      });
    }
    return translateAwsError(error, `${doing} in the bucket ${this.#bucket}`);
  }
}

function isNamed(error: unknown, name: string): boolean {
  return error instanceof Error && error.name === name;
}
