import { HttpsReleases } from '../../adapters/https-releases.ts';
import { S3Artifacts } from '../../adapters/s3-artifacts.ts';
import { connectS3 } from '../../adapters/s3-client.ts';
import { S3StoredReleases } from '../../adapters/s3-stored-releases.ts';
import { S3Texts } from '../../adapters/s3-texts.ts';
import type { Artifacts, Releases } from '../../core/ports.ts';
import { optionalEnv, requireEnv } from '../env.ts';

export function artifacts(): Artifacts {
  return new S3Artifacts(texts());
}

/** From a mirror where one is configured, else from GitHub; each file once. */
export function releases(): Releases {
  const mirror = optionalEnv('RELEASES_URL');
  return new S3StoredReleases(texts(), new HttpsReleases(mirror === undefined ? {} : { baseUrl: mirror }));
}

function texts(): S3Texts {
  return new S3Texts(connectS3(), requireEnv('ARTIFACTS_BUCKET'));
}
