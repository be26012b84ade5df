import { randomUUID } from 'node:crypto';
import { CreateBucketCommand, type S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { S3Artifacts } from '../../adapters/s3-artifacts.ts';
import { connectS3 } from '../../adapters/s3-client.ts';
import { S3StoredReleases } from '../../adapters/s3-stored-releases.ts';
import { S3Texts } from '../../adapters/s3-texts.ts';
import { PetraError } from '../../core/errors.ts';
import type { ReleaseAsset } from '../../core/ports.ts';
import { type Moto, startMoto } from '../moto/start-moto.ts';
import { artifactsContract } from './artifacts.contract.ts';

const bucket = 'petra-releases';
let moto: Moto;
let client: S3Client;
let texts: S3Texts;
beforeAll(async () => {
  moto = await startMoto({ region: 'us-east-1' });
  client = connectS3({ ...moto.config, forcePathStyle: true });
  await client.send(new CreateBucketCommand({ Bucket: bucket }));
  texts = new S3Texts(client, bucket);
});
afterAll(async () => {
  client?.destroy();
  await moto?.stop();
});

/** Texts whose calls fail with these errors, one after the other, and then reach moto. */
function failing(...errors: readonly { readonly name: string }[]): S3Texts {
  const pending = [...errors];
  const refusing = connectS3({ ...moto.config, forcePathStyle: true });
  refusing.middlewareStack.add(
    (next) => async (input) => {
      const error = pending.shift();
      if (error) throw Object.assign(new Error('asked for'), error);
      return next(input);
    },
    { step: 'initialize' },
  );
  return new S3Texts(refusing, bucket);
}

artifactsContract('S3 (moto)', async () => ({ artifacts: new S3Artifacts(texts) }));

describe('artifacts in S3', () => {
  it('are kept with the sum that S3 compares and keeps itself', async () => {
    const text = randomUUID();
    const sha256 = await new S3Artifacts(texts).store(text);
    const key = `artifacts/sha256/${sha256}`;
    expect(await texts.hasSum(key, sha256)).toBe(true);
    await texts.replace(key, 'changed');
    expect(await texts.hasSum(key, sha256)).toBe(false);
  });

  it('that someone changed are not given out, and mended when they are stored again', async () => {
    const artifacts = new S3Artifacts(texts);
    const text = randomUUID();
    const sha256 = await artifacts.store(text);
    await texts.replace(`artifacts/sha256/${sha256}`, 'changed');
    await expect(artifacts.read(sha256)).rejects.toMatchObject({ code: 'ReleaseCorrupt' });
    expect(await artifacts.store(text)).toBe(sha256);
    expect(await artifacts.read(sha256)).toBe(text);
  });

  it('are tried again when S3 says that something else happens to the key', async () => {
    const conflict = { name: 'ConditionalRequestConflict' };
    const text = randomUUID();
    const sha256 = await new S3Artifacts(failing(conflict, conflict)).store(text);
    expect(await new S3Artifacts(texts).read(sha256)).toBe(text);
    await expect(
      new S3Artifacts(failing(conflict, conflict, conflict, conflict)).store(randomUUID()),
    ).rejects.toMatchObject({ code: 'AwsUnavailable', retryable: true });
  });

  it('say what is wrong with the bucket', async () => {
    const nowhere = new S3Artifacts(new S3Texts(client, 'petra-absent'));
    await expect(nowhere.store('text')).rejects.toMatchObject({ code: 'StorageUnavailable' });
    await expect(nowhere.read('0'.repeat(64))).rejects.toThrow('there is no bucket petra-absent');
    // A missing file looks like this to a role that may not list the bucket.
    const denied = new S3Artifacts(failing({ name: 'AccessDenied' }));
    await expect(denied.read('0'.repeat(64))).rejects.toMatchObject({ code: 'AwsAccessDenied' });
  });
});

describe('releases stored in S3', () => {
  function repository() {
    const fetched: ReleaseAsset[] = [];
    return {
      fetched,
      kind: 'mirror' as const,
      async fetch(asset: ReleaseAsset) {
        fetched.push(asset);
        if (asset.file === 'absent.yaml') throw new PetraError('ReleaseNotFound', 'no such file');
        return `# ${asset.file}, fetch ${fetched.length}`;
      },
    };
  }

  function asset(change: Partial<ReleaseAsset> = {}): ReleaseAsset {
    return { repository: `org/${randomUUID()}`, version: 'v1.0.0', file: 'metadata.yaml', ...change };
  }

  it('are fetched once, and are the same ever after', async () => {
    const [source, other] = [repository(), repository()];
    const wanted = asset();
    const releases = new S3StoredReleases(texts, source);
    expect(releases.kind).toBe('mirror');
    expect(await releases.fetch(wanted)).toBe('# metadata.yaml, fetch 1');
    expect(await releases.fetch(wanted)).toBe('# metadata.yaml, fetch 1');
    expect(await new S3StoredReleases(texts, other).fetch(wanted)).toBe('# metadata.yaml, fetch 1');
    expect(source.fetched).toEqual([wanted]);
    expect(other.fetched).toEqual([]);
    expect(await texts.read(`releases/mirror/${wanted.repository}/v1.0.0/metadata.yaml`)).toBe(
      '# metadata.yaml, fetch 1',
    );
  });

  it('are told apart by version, by file and by where they come from', async () => {
    const source = repository();
    const wanted = asset();
    const releases = new S3StoredReleases(texts, source);
    for (const one of [wanted, { ...wanted, version: 'v1.0.1' }, { ...wanted, file: 'components.yaml' }])
      await releases.fetch(one);
    await new S3StoredReleases(texts, { kind: 'upstream', fetch: source.fetch }).fetch(wanted);
    expect(source.fetched).toHaveLength(4);
  });

  it('are the same for all that fetch them at once', async () => {
    const releases = new S3StoredReleases(texts, repository());
    const wanted = asset();
    const all = await Promise.all([1, 2, 3, 4].map(() => releases.fetch(wanted)));
    expect(new Set(all)).toEqual(new Set([await releases.fetch(wanted)]));
  });

  it('that do not exist are asked for again the next time', async () => {
    const source = repository();
    const wanted = asset({ file: 'absent.yaml' });
    for (const _ of [1, 2])
      await expect(new S3StoredReleases(texts, source).fetch(wanted)).rejects.toMatchObject({
        code: 'ReleaseNotFound',
      });
    expect(source.fetched).toHaveLength(2);
  });
});
