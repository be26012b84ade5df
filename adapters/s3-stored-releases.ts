import type { ReleaseAsset, Releases } from '../core/ports.ts';
import type { S3Texts } from './s3-texts.ts';

/**
 * Fetches each file of a release once, and keeps it under `releases/` of a bucket: later fetches of the same file need
 * no repository, and get the same text even if the repository changes it. To fetch a file anew, delete its object.
 */
export class S3StoredReleases implements Releases {
  readonly kind: Releases['kind'];
  readonly #texts: S3Texts;
  readonly #source: Releases;

  constructor(texts: S3Texts, source: Releases) {
    this.kind = source.kind;
    this.#texts = texts;
    this.#source = source;
  }

  async fetch(asset: ReleaseAsset): Promise<string> {
    const key = `releases/${this.kind}/${asset.repository}/${asset.version}/${asset.file}`;
    const stored = await this.#texts.read(key);
    if (stored !== undefined) return stored;
    const fetched = await this.#source.fetch(asset);
    if (await this.#texts.add(key, fetched)) return fetched;
    // Another was faster: what it stored is what all use.
    return (await this.#texts.read(key)) ?? fetched;
  }
}
