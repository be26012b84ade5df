// A mirror of provider releases on the loopback interface, in the layout of GitHub's downloads. It serves the synthetic
// manifests of a local Petra: real releases are other projects' files, and need the internet.

import { createServer, type Server } from 'node:https';
import { hasCode } from '../../core/errors.ts';
import type { ReleaseAsset } from '../../core/ports.ts';
import type { Identity } from '../../local/kubernetes/certificates.ts';
import { SyntheticReleases } from '../../local/synthetic-releases.ts';
import { listenOnLoopback, stopServer } from './loopback.ts';

const path = /^\/([^/]+\/[^/]+)\/releases\/download\/([^/]+)\/([^/]+)$/;

export class ReleaseMirror {
  readonly #releases = new SyntheticReleases();
  readonly #withheld: ReadonlySet<string>;
  /** How often each file was fetched. */
  readonly fetched = new Map<string, number>();
  #server: Server | undefined;

  /** `withheld` are versions that were never released: `kubernetes-sigs/cluster-api-provider-aws v2.7.4`. */
  constructor(withheld: readonly string[]) {
    this.#withheld = new Set(withheld);
  }

  async start({ certificate, key }: Identity): Promise<string> {
    const server = createServer({ cert: certificate, key }, async (request, response) => {
      const [, repository = '', version = '', file = ''] =
        path.exec(decodeURIComponent(request.url ?? '')) ?? [];
      const text = await this.#find({ repository, version, file });
      if (text === undefined) response.writeHead(404, { 'content-type': 'text/plain' }).end('Not Found');
      else response.writeHead(200, { 'content-type': 'application/octet-stream' }).end(text);
    });
    this.#server = server;
    return `https://127.0.0.1:${await listenOnLoopback(server)}`;
  }

  async stop(): Promise<void> {
    await stopServer(this.#server);
  }

  async #find(asset: ReleaseAsset): Promise<string | undefined> {
    if (this.#withheld.has(`${asset.repository} ${asset.version}`)) return undefined;
    const name = `${asset.repository} ${asset.version} ${asset.file}`;
    this.fetched.set(name, (this.fetched.get(name) ?? 0) + 1);
    try {
      return await this.#releases.fetch(asset);
    } catch (error) {
      if (hasCode(error, 'ReleaseNotFound')) return undefined;
      throw error;
    }
  }
}
