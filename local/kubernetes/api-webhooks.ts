// Validating webhooks that listen on this machine. Those of a Service are answered by the simulated controllers
// (`ObjectStore.admit`), since nothing runs behind a Service here; mutating ones are not called.

import { randomUUID } from 'node:crypto';
import { request as httpsRequest } from 'node:https';
import { messageOf } from '../../core/errors.ts';
import type { KubernetesObject } from '../../core/ports.ts';
import type { ResourceRequest } from './api-exchange.ts';
import { at, isObject, type JsonObject, listOr, objectOr, stringOr } from './api-json.ts';
import { labelMatcher } from './api-selectors.ts';
import { ApiStatusError } from './api-status.ts';

const configurationKind = 'ValidatingWebhookConfiguration';
const loopback = new Set(['127.0.0.1', 'localhost', '[::1]']);

export interface ReviewedWrite {
  readonly operation: 'CREATE' | 'UPDATE';
  readonly oldObject: KubernetesObject | undefined;
  readonly dryRun: boolean;
}

/**
 * Has the webhooks that match judge what `propose` returns: the object as it would be stored.
 * @throws ApiStatusError what the first that objects says, or that one could not be called
 */
export async function reviewWrite(
  resource: ResourceRequest,
  write: ReviewedWrite,
  propose: () => Promise<KubernetesObject>,
): Promise<void> {
  const webhooks = resource.cluster.store
    .list('admissionregistration.k8s.io/v1', configurationKind)
    .flatMap((configuration) => listOr(configuration.webhooks))
    .filter(isObject)
    .filter((webhook) => isCallable(webhook) && hasRuleFor(webhook, resource, write.operation));
  if (webhooks.length === 0) return;
  const object = await propose();
  for (const webhook of webhooks) {
    if (isSelected(webhook, resource, object)) await review(webhook, resource, write, object);
  }
}

function isCallable(webhook: JsonObject): boolean {
  const url = stringOr(at(webhook, 'clientConfig', 'url'), '');
  return URL.canParse(url) && loopback.has(new URL(url).hostname);
}

function hasRuleFor(webhook: JsonObject, { type, version }: ResourceRequest, operation: string): boolean {
  const names = (rule: unknown, field: string, wanted: string) => {
    const listed = listOr(at(rule, field));
    return listed.includes('*') || listed.includes(wanted);
  };
  return listOr(webhook.rules).some(
    (rule) =>
      names(rule, 'apiGroups', type.group) &&
      names(rule, 'apiVersions', version) &&
      names(rule, 'operations', operation) &&
      names(rule, 'resources', type.plural),
  );
}

function isSelected(webhook: JsonObject, { cluster }: ResourceRequest, object: KubernetesObject): boolean {
  const { namespace } = object.metadata;
  const space =
    namespace === undefined ? undefined : cluster.store.get('v1', 'Namespace', undefined, namespace);
  return (
    labelMatcher(selectorText(webhook.objectSelector))(object) &&
    (space === undefined || labelMatcher(selectorText(webhook.namespaceSelector))(space))
  );
}

/** A label selector of an object in the form of a query. */
function selectorText(selector: unknown): string {
  const labels = Object.entries(objectOr(at(selector, 'matchLabels'))).map(
    ([key, value]) => `${key}=${value}`,
  );
  const expressions = listOr(at(selector, 'matchExpressions')).map((expression) => {
    const key = stringOr(at(expression, 'key'), '');
    const values = listOr(at(expression, 'values')).join(', ');
    switch (at(expression, 'operator')) {
      case 'Exists':
        return key;
      case 'DoesNotExist':
        return `!${key}`;
      default:
        return `${key} ${at(expression, 'operator') === 'NotIn' ? 'notin' : 'in'} (${values})`;
    }
  });
  return [...labels, ...expressions].join(',');
}

async function review(
  webhook: JsonObject,
  resource: ResourceRequest,
  { operation, oldObject, dryRun }: ReviewedWrite,
  object: KubernetesObject,
): Promise<void> {
  const { type, version, request } = resource;
  const name = stringOr(webhook.name, '');
  const { namespace } = object.metadata;
  const text = JSON.stringify({
    kind: 'AdmissionReview',
    apiVersion: 'admission.k8s.io/v1',
    request: {
      uid: randomUUID(),
      kind: { group: type.group, version, kind: type.kind },
      resource: { group: type.group, version, resource: type.plural },
      name: object.metadata.name,
      ...(namespace === undefined ? {} : { namespace }),
      operation,
      userInfo: { username: request.user },
      object,
      oldObject: oldObject ?? null,
      dryRun,
    },
  });
  let answer: unknown;
  try {
    answer = JSON.parse(await post(webhook, text));
  } catch (error) {
    if (webhook.failurePolicy === 'Ignore') return;
    const why = messageOf(error);
    const message = `Internal error occurred: failed calling webhook ${JSON.stringify(name)}: failed to call webhook: ${why}`;
    throw new ApiStatusError(500, 'InternalError', message, { causes: [{ reason: '', message }] });
  }
  if (at(answer, 'response', 'allowed') === true) return;
  throw denial(name, objectOr(at(answer, 'response', 'status')));
}

function denial(webhook: string, status: JsonObject): ApiStatusError {
  const why = stringOr(status.message, '') || stringOr(status.reason, '');
  const denied = `admission webhook ${JSON.stringify(webhook)} denied the request`;
  const causes = listOr(at(status, 'details', 'causes'))
    .filter(isObject)
    .map(({ reason, message, field }) => ({
      reason: stringOr(reason, ''),
      message: stringOr(message, ''),
      field: stringOr(field, ''),
    }));
  return new ApiStatusError(
    typeof status.code === 'number' ? status.code : 403,
    stringOr(status.reason, 'Forbidden'),
    why === '' ? `${denied} without explanation` : `${denied}: ${why}`,
    causes.length > 0 ? { causes } : undefined,
  );
}

/** The answer's text. @throws Error in the words of Go's HTTP client, which clients of a real server see */
function post(webhook: JsonObject, body: string): Promise<string> {
  const seconds = typeof webhook.timeoutSeconds === 'number' ? webhook.timeoutSeconds : 10;
  const url = new URL(stringOr(at(webhook, 'clientConfig', 'url'), ''));
  url.searchParams.set('timeout', `${seconds}s`);
  return new Promise((resolve, reject) => {
    const fail = (why: string) => reject(new Error(`Post "${url.href}": ${why}`));
    const outgoing = httpsRequest(
      url,
      {
        method: 'POST',
        agent: false,
        ca: Buffer.from(stringOr(at(webhook, 'clientConfig', 'caBundle'), ''), 'base64'),
        signal: AbortSignal.timeout(seconds * 1000),
        headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) },
      },
      (incoming) => {
        let text = '';
        incoming.setEncoding('utf8').on('data', (chunk: string) => {
          text += chunk;
        });
        incoming.on('error', (error) => fail(reasonOf(error, url)));
        incoming.on('end', () => {
          if (incoming.statusCode === 200) return resolve(text);
          const said = JSON.stringify(text.trim());
          reject(new Error(`an error on the server (${said}) has prevented the request from succeeding`));
        });
      },
    );
    outgoing.on('error', (error) => fail(reasonOf(error, url)));
    outgoing.end(body);
  });
}

function reasonOf(error: Error, url: URL): string {
  if (error.name === 'TimeoutError' || error.name === 'AbortError') return 'context deadline exceeded';
  const code = 'code' in error ? error.code : undefined;
  return code === 'ECONNREFUSED' ? `dial tcp ${url.host}: connect: connection refused` : error.message;
}
