// A relay between Petra and a Kubernetes API: it passes every request on, and tells a test of it first.

import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type HttpsAnswer, HttpsConnection } from '../../adapters/https-connection.ts';
import { parseKubeconfig } from '../../adapters/kubeconfig.ts';
import { Certificates } from '../../local/kubernetes/certificates.ts';

export interface Relay {
  readonly kubeconfig: string;
  close(): Promise<void>;
}

/** What becomes of a request: `pass` sends it on and returns the answer. */
export type Relaying = (
  request: { readonly method: string; readonly path: string },
  pass: () => Promise<HttpsAnswer>,
) => Promise<HttpsAnswer>;

export async function openRelay(kubeconfig: string, relaying: Relaying): Promise<Relay> {
  const folder = await mkdtemp(join(tmpdir(), 'petra-relay-'));
  const certificates = new Certificates(folder);
  // One after the other: both make the authority when there is none.
  const identity = await certificates.server();
  const client = await certificates.client('relay');
  const connection = new HttpsConnection(parseKubeconfig(kubeconfig));
  const server = createServer(
    { cert: identity.certificate, key: identity.key },
    async (incoming, outgoing) => {
      const chunks: Buffer[] = [];
      for await (const chunk of incoming) chunks.push(Buffer.from(chunk));
      const body = Buffer.concat(chunks).toString('utf8');
      const { method = 'GET', url: path = '/', headers } = incoming;
      const contentType = headers['content-type'] ?? 'application/json';
      const sent = { method, path, ...(body === '' ? {} : { body, contentType }) };
      try {
        const { code, text } = await relaying({ method, path }, () => connection.send(sent));
        outgoing.writeHead(code, { 'content-type': 'application/json' }).end(text);
      } catch {
        // The API cannot be reached: nor can the relay then.
        outgoing.destroy();
      }
    },
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  const base64 = (text: string) => Buffer.from(text).toString('base64');
  return {
    kubeconfig: JSON.stringify({
      'current-context': 'relay',
      contexts: [{ name: 'relay', context: { cluster: 'relay', user: 'relay' } }],
      clusters: [
        {
          name: 'relay',
          cluster: {
            server: `https://127.0.0.1:${port}`,
            'certificate-authority-data': base64(identity.authority),
          },
        },
      ],
      users: [
        {
          name: 'relay',
          user: {
            'client-certificate-data': base64(client.certificate),
            'client-key-data': base64(client.key),
          },
        },
      ],
    }),
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await rm(folder, { recursive: true });
    },
  };
}
