// A mirror of provider releases on the loopback interface, in the layout of GitHub's downloads. It serves the synthetic
// manifests of a local Petra: real releases are other projects' files, and need the internet.

import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { hasCode } from '../../core/errors.ts';
import type { ReleaseAsset } from '../../core/ports.ts';
import type { Identity } from '../../local/kubernetes/certificates.ts';
import { SyntheticReleases } from '../../local/synthetic-releases.ts';

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
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    // A server that listens on a port has an address with one.
    return `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    const server = this.#server;
    if (!server) return;
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
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
