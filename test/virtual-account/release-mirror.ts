// A mirror of provider releases on the loopback interface, in the layout of GitHub's downloads.

import { createServer, type Server } from 'node:https';
import type { ReleaseAsset } from '../../core/ports.ts';
import type { Identity } from '../../local/kubernetes/certificates.ts';
import { listenOnLoopback, stopServer } from './loopback.ts';

const path = /^\/([^/]+\/[^/]+)\/releases\/download\/([^/]+)\/([^/]+)$/;

/** The text of a file of a release; undefined when there is none. */
export type FindRelease = (asset: ReleaseAsset) => Promise<string | undefined>;

export class ReleaseMirror {
  readonly #find: FindRelease;
  /** How often each file was fetched. */
  readonly fetched = new Map<string, number>();
  #server: Server | undefined;

  constructor(find: FindRelease) {
    this.#find = find;
  }

  async start({ certificate, key }: Identity): Promise<string> {
    const server = createServer({ cert: certificate, key }, async (request, response) => {
      const [, repository = '', version = '', file = ''] =
        path.exec(decodeURIComponent(request.url ?? '')) ?? [];
      const name = `${repository} ${version} ${file}`;
      this.fetched.set(name, (this.fetched.get(name) ?? 0) + 1);
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
}
