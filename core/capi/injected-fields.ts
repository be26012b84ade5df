// Fields of a manifest that are placeholders for what the cluster itself fills in. Applied again by server-side apply,
// they would empty what is there: an installation that is repeated would take permissions and CAs from running controllers.

import { isObject } from '../json-fields.ts';
import type { KubernetesObject } from '../ports.ts';
import { changeAt } from './provider-namespace.ts';

/**
 * The object without its placeholders: the `rules` of an aggregated ClusterRole (written by Kubernetes), and a blank
 * `caBundle` (written by cert-manager). With CAPA's blank one, `Cg==`, Kubernetes 1.35 does not even serve a definition
 * until the CA is there; without it, v1.35.3 serves all of CAPA's at once, and conversion follows.
 */
export function withoutInjectedFields(object: KubernetesObject): KubernetesObject {
  switch (object.kind) {
    case 'ClusterRole': {
      if (!('aggregationRule' in object)) return object;
      const { apiVersion, kind, metadata, rules: _, ...rest } = object;
      return { apiVersion, kind, metadata, ...rest };
    }
    case 'CustomResourceDefinition':
      return changeAt(object, ['spec', 'conversion', 'webhook', 'clientConfig'], withoutBlankCa);
    case 'MutatingWebhookConfiguration':
    case 'ValidatingWebhookConfiguration':
      return changeAt(object, ['webhooks', '*', 'clientConfig'], withoutBlankCa);
    default:
      return object;
  }
}

function withoutBlankCa(clientConfig: unknown): unknown {
  if (!isObject(clientConfig)) return clientConfig;
  const { caBundle, ...rest } = clientConfig;
  // Base64 of a newline.
  return caBundle === '' || caBundle === 'Cg==' ? rest : clientConfig;
}
