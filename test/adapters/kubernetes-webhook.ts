// An admission webhook on the loopback interface that answers as a test wants, or not at all.

import { mkdtemp, rm } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { at } from '../../core/json-fields.ts';
import { Certificates } from '../../local/kubernetes/certificates.ts';
import type { Scene } from './kubernetes-scene.ts';

/** Answers a review; `uid` must be in what it sends. */
export type Reviewing = (
  review: { readonly uid: string; readonly object: unknown },
  response: ServerResponse,
) => void;

export interface Webhook {
  /** Objects with this label are reviewed. */
  readonly labels: Readonly<Record<string, string>>;
  readonly name: string;
  /** How many reviews came. */
  count(): number;
  /** Stops listening, while the API still knows of the webhook. */
  stopListening(): Promise<void>;
  close(): Promise<void>;
}

export function reviewed(uid: string, response: object): string {
  return JSON.stringify({
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    response: { uid, ...response },
  });
}

/** A webhook for the scene's widgets, known to the API when this returns or soon after. */
export async function openWebhook(
  { kubernetes, group }: Scene,
  title: string,
  reviewing: Reviewing,
): Promise<Webhook> {
  const folder = await mkdtemp(join(tmpdir(), 'petra-webhook-'));
  const identity = await new Certificates(folder).server();
  let count = 0;
  const server = createServer(
    { cert: identity.certificate, key: identity.key },
    async (incoming, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of incoming) chunks.push(Buffer.from(chunk));
      const review: unknown = JSON.parse(Buffer.concat(chunks).toString('utf8'));
      count += 1;
      response.setHeader('content-type', 'application/json');
      reviewing(
        { uid: String(at(review, 'request', 'uid')), object: at(review, 'request', 'object') },
        response,
      );
    },
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  const labels = { webhook: title };
  const name = `${title}.${group}`;
  const configuration = {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingWebhookConfiguration',
    metadata: { name },
    webhooks: [
      {
        name,
        clientConfig: {
          url: `https://127.0.0.1:${port}/review`,
          caBundle: Buffer.from(identity.authority).toString('base64'),
        },
        rules: [
          {
            apiGroups: [group],
            apiVersions: ['v1'],
            operations: ['CREATE', 'UPDATE'],
            resources: ['widgets'],
          },
        ],
        objectSelector: { matchLabels: labels },
        timeoutSeconds: 1,
        sideEffects: 'None',
        admissionReviewVersions: ['v1'],
      },
    ],
  };
  await kubernetes.apply(configuration);
  const stopListening = async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return {
    labels,
    name,
    count: () => count,
    stopListening,
    close: async () => {
      await kubernetes.remove({
        apiVersion: configuration.apiVersion,
        kind: configuration.kind,
        name,
      });
      await stopListening();
      await rm(folder, { recursive: true });
    },
  };
}
