// cert-manager's three Deployments, as far as Cluster API's providers need them.
// Simulated: Issuers become Ready, Certificates get their Secret, the CA goes into webhook configurations and CRDs.
// Not simulated: cryptography. What stands in the Secrets is text that says so; nothing in the simulation verifies it.

import { at, isObject, listAt, recordAt, textAt } from '../../core/json-fields.ts';
import type { KubernetesObject } from '../../core/ports.ts';
import type { ObjectStore } from '../kubernetes/object-store.ts';
import { condition, timestamp, withConditions } from './conditions.ts';
import type { Controller, Wake } from './controller.ts';
import { certificateSeconds } from './durations.ts';
import { noteTime, remaining } from './elapsed.ts';
import type { Environment } from './environment.ts';
import { isDeleting, type Kind, kinds } from './kinds.ts';
import { managers } from './managers.ts';
import { changeObject, ensureObject, setStatus } from './writes.ts';

const year = 365 * 24 * 60 * 60 * 1000;
const secretAnnotation = 'cert-manager.io/certificate-name';

/** The controllers of cert-manager, its cainjector and its webhook. */
export function certManagerControllers(environment: Environment): readonly Controller[] {
  return [
    issuerController(environment),
    { ...issuerController(environment), name: 'clusterissuer', kind: kinds.clusterIssuer },
    certificateController(environment),
    webhookCaController(environment),
    caInjector(environment, kinds.mutatingWebhooks),
    caInjector(environment, kinds.validatingWebhooks),
    caInjector(environment, kinds.crd),
  ];
}

function issuerController({ store }: Environment): Controller {
  return {
    name: 'issuer',
    kind: kinds.issuer,
    manager: managers.certManager,
    async reconcile(issuer) {
      const ready = {
        ...condition('Ready', true),
        reason: 'IsReady',
        observedGeneration: issuer.metadata.generation,
      };
      await setStatus(store, issuer, (status) => ({
        ...status,
        conditions: withConditions(listAt(status, 'conditions'), [ready], Date.now()),
      }));
      return undefined;
    },
  };
}

function certificateController({ store, pace }: Environment): Controller {
  return {
    name: 'certificate',
    kind: kinds.certificate,
    manager: managers.certManager,
    wakes: [{ kind: kinds.issuer, wakes: () => 'all' }],
    async reconcile(certificate) {
      const issuer = textAt(certificate, 'spec', 'issuerRef', 'name') ?? '';
      const { namespace } = certificate.metadata;
      const kind = textAt(certificate, 'spec', 'issuerRef', 'kind') ?? 'Issuer';
      const found = store.get(
        kinds.issuer.apiVersion,
        kind,
        kind === 'Issuer' ? namespace : undefined,
        issuer,
      );
      if (isDeleting(certificate)) return undefined;
      if (!found) {
        await setReady(
          store,
          certificate,
          false,
          'DoesNotExist',
          `Referenced "${kind}" not found: "${issuer}"`,
        );
        return undefined;
      }
      const noted = await noteTime(store, certificate, 'requested');
      const wait = remaining(noted, 'requested', certificateSeconds, pace);
      if (wait > 0) return wait;
      await ensureObject(store, tlsSecret(noted));
      await setReady(store, noted, true, 'Ready', 'Certificate is up to date and has not expired');
      return undefined;
    },
  };
}

async function setReady(
  store: ObjectStore,
  certificate: KubernetesObject,
  isReady: boolean,
  reason: string,
  message: string,
): Promise<void> {
  const ready = { type: 'Ready', status: isReady ? 'True' : 'False', reason, message } as const;
  await setStatus(store, certificate, (status) => ({
    ...status,
    ...(isReady && status.notAfter === undefined
      ? { revision: 1, notBefore: timestamp(Date.now()), notAfter: timestamp(Date.now() + year) }
      : {}),
    conditions: withConditions(listAt(status, 'conditions'), [ready], Date.now()),
  }));
}

function tlsSecret(certificate: KubernetesObject): KubernetesObject {
  const { name, namespace = '' } = certificate.metadata;
  return {
    ...kinds.secret,
    metadata: {
      name: textAt(certificate, 'spec', 'secretName') ?? name,
      namespace,
      annotations: { [secretAnnotation]: name },
    },
    type: 'kubernetes.io/tls',
    data: simulatedTls(`${namespace}/${name}`),
  };
}

/** Keys and certificates that nothing verifies, for the Secrets which a real cluster would hold. */
export function simulatedTls(subject: string) {
  const encode = (what: string) => Buffer.from(`# simulated ${what} of ${subject}\n`).toString('base64');
  return { 'ca.crt': encode('CA'), 'tls.crt': encode('certificate'), 'tls.key': encode('key') };
}

/** cert-manager's webhook makes its own CA when it starts. */
function webhookCaController({ store }: Environment): Controller {
  return {
    name: 'cert-manager-webhook',
    kind: kinds.deployment,
    manager: managers.certManagerWebhook,
    async reconcile({ metadata: { name, namespace = '' } }) {
      if (name !== managers.certManagerWebhook) return undefined;
      await ensureObject(store, {
        ...kinds.secret,
        metadata: {
          name: 'cert-manager-webhook-ca',
          namespace,
          annotations: { 'cert-manager.io/allow-direct-injection': 'true' },
        },
        type: 'kubernetes.io/tls',
        data: simulatedTls(`${namespace}/${name}`),
      });
      return undefined;
    },
  };
}

/** Puts the CA of a Certificate (or of a Secret) where the API server looks for it. */
function caInjector({ store }: Environment, kind: Kind): Controller {
  const wakesInjected: Wake = {
    kind: kinds.secret,
    wakes: ({ metadata }) =>
      metadata.annotations?.[secretAnnotation] || /-webhook-ca$/.test(metadata.name) ? everyone() : [],
  };
  const everyone = () => store.list(kind.apiVersion, kind.kind).map(({ metadata: { name } }) => ({ name }));
  return {
    name: 'cainjector',
    kind,
    manager: managers.caInjector,
    wakes: [wakesInjected, { kind: kinds.certificate, wakes: everyone }],
    async reconcile(target) {
      const caBundle = caFor(store, target);
      if (caBundle === undefined) return undefined;
      await changeObject(store, target, (present) => withCaBundle(present, caBundle));
      return undefined;
    },
  };
}

function caFor(store: ObjectStore, target: KubernetesObject): string | undefined {
  const annotations = target.metadata.annotations ?? {};
  const [certificateNamespace, certificateName] = (annotations['cert-manager.io/inject-ca-from'] ?? '').split(
    '/',
  );
  const [secretNamespace, secretName] = (annotations['cert-manager.io/inject-ca-from-secret'] ?? '').split(
    '/',
  );
  if (certificateName !== undefined) {
    const { apiVersion, kind } = kinds.certificate;
    const certificate = store.get(apiVersion, kind, certificateNamespace, certificateName);
    const name = textAt(certificate, 'spec', 'secretName') ?? '';
    return textAt(store.get('v1', 'Secret', certificateNamespace, name), 'data', 'ca.crt');
  }
  if (secretName === undefined) return undefined;
  return textAt(store.get('v1', 'Secret', secretNamespace, secretName), 'data', 'ca.crt');
}

function withCaBundle(target: KubernetesObject, caBundle: string): KubernetesObject {
  if (target.kind === kinds.crd.kind) {
    const clientConfig = at(target, 'spec', 'conversion', 'webhook', 'clientConfig');
    if (!isObject(clientConfig)) return target;
    const spec = recordAt(target, 'spec');
    const conversion = recordAt(spec, 'conversion');
    const webhook = { ...recordAt(conversion, 'webhook'), clientConfig: { ...clientConfig, caBundle } };
    return { ...target, spec: { ...spec, conversion: { ...conversion, webhook } } };
  }
  const webhooks = listAt(target, 'webhooks').map((webhook) => ({
    ...recordAt(webhook),
    clientConfig: { ...recordAt(webhook, 'clientConfig'), caBundle },
  }));
  return { ...target, webhooks };
}
