// What the parts of the Kubernetes contract share: the API under test, a namespace and a kind of their own, and
// other clients of the same API beside Petra.

import { randomUUID } from 'node:crypto';
import { HttpKubernetesAccess } from '../../adapters/http-kubernetes.ts';
import { HttpsConnection } from '../../adapters/https-connection.ts';
import { parseKubeconfig } from '../../adapters/kubeconfig.ts';
import { statusOf } from '../../adapters/kubernetes-errors.ts';
import { PetraError } from '../../core/errors.ts';
import type { Kubernetes, KubernetesObject, ObjectReference } from '../../core/ports.ts';

/** An API to test, with leave to do anything in it and to it. */
export interface KubernetesUnderTest {
  /** Of an administrator. The API is reached over the loopback interface, and reaches webhooks there. */
  readonly kubeconfig: string;
  /** The kubeconfig of a user whom the API knows, and who may do nothing. */
  powerlessUser(): Promise<string>;
  /** The kubeconfig of a user all of whose requests are throttled. */
  throttledUser(): Promise<string>;
  /** Forgets old states, so that lists begun before cannot be continued. */
  forgetOldStates(): Promise<void>;
  /** Ends the API as abruptly as a kill. Its objects stay. */
  kill(): Promise<void>;
  /** Starts it again at the same address; resolves when it answers. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

/** What another client than Petra is answered. */
export interface RawAnswer {
  readonly code: number;
  readonly body: Readonly<Record<string, unknown>>;
  readonly text: string;
}

export interface Scene {
  readonly underTest: KubernetesUnderTest;
  readonly kubernetes: Kubernetes;
  readonly namespace: string;
  /** The API group of Widget, a custom resource with versions v1 and v1beta1. */
  readonly group: string;
  configMap(name: string, data: Readonly<Record<string, unknown>>, metadata?: object): KubernetesObject;
  mapReference(name: string): ObjectReference;
  widget(name: string, spec: object, metadata?: object, version?: string): KubernetesObject;
  widgetReference(name: string): ObjectReference;
  /** The paths of widgets, or of one, in the API. */
  widgetPath(name?: string): string;
  /** Applies, once, more widgets than a page of Petra's has; with their label and their names in order. */
  many(): Promise<{ readonly labelSelector: string; readonly names: readonly string[] }>;
  /** A request of another client, with the rights of an administrator. */
  request(method: string, path: string, body?: unknown, contentType?: string): Promise<RawAnswer>;
}

export const definitionKind = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
} as const;

export async function openScene(underTest: KubernetesUnderTest): Promise<Scene> {
  const run = randomUUID().slice(0, 8);
  const namespace = `contract-${run}`;
  const group = `contract-${run}.petra.sh`;
  const kubernetes = new HttpKubernetesAccess().connect(underTest.kubeconfig);
  const connection = new HttpsConnection(parseKubeconfig(underTest.kubeconfig));
  let many: ReturnType<Scene['many']> | undefined;
  const scene: Scene = {
    underTest,
    kubernetes,
    namespace,
    group,
    configMap: (name, data, metadata = {}) => ({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name, namespace, ...metadata },
      data,
    }),
    mapReference: (name) => ({ apiVersion: 'v1', kind: 'ConfigMap', name, namespace }),
    widget: (name, spec, metadata = {}, version = 'v1') => ({
      apiVersion: `${group}/${version}`,
      kind: 'Widget',
      metadata: { name, namespace, ...metadata },
      spec,
    }),
    widgetReference: (name) => ({ apiVersion: `${group}/v1`, kind: 'Widget', name, namespace }),
    widgetPath: (name) =>
      `/apis/${group}/v1/namespaces/${namespace}/widgets${name === undefined ? '' : `/${name}`}`,
    many: () => {
      many ??= applyMany(scene);
      return many;
    },
    request: async (method, path, body, contentType = 'application/json') => {
      const sent = body === undefined ? {} : { body: JSON.stringify(body), contentType };
      const { code, text } = await connection.send({ method, path, ...sent });
      return { code, text, body: statusOf({ text }) };
    },
  };
  await kubernetes.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
  await kubernetes.apply(definitionOf(group));
  await eventually(() => kubernetes.apply(scene.widget('first', { size: 1 })));
  return scene;
}

async function applyMany({ kubernetes, widget }: Scene): ReturnType<Scene['many']> {
  const names = Array.from({ length: 510 }, (_, index) => `many-${String(index).padStart(3, '0')}`);
  await Promise.all(
    names.map((name) => kubernetes.apply(widget(name, { size: 1 }, { labels: { many: 'yes' } }))),
  );
  return { labelSelector: 'many=yes', names };
}

export async function closeScene({ kubernetes, namespace, group }: Scene): Promise<void> {
  await kubernetes.remove({ ...definitionKind, name: `widgets.${group}` });
  await kubernetes.remove({ apiVersion: 'v1', kind: 'Namespace', name: namespace });
}

export function definitionOf(group: string): KubernetesObject {
  return {
    ...definitionKind,
    metadata: { name: `widgets.${group}` },
    spec: {
      group,
      scope: 'Namespaced',
      names: { plural: 'widgets', singular: 'widget', kind: 'Widget', listKind: 'WidgetList' },
      versions: ['v1', 'v1beta1'].map((name) => ({
        name,
        served: true,
        storage: name === 'v1',
        subresources: { status: {} },
        schema: {
          openAPIV3Schema: {
            type: 'object',
            properties: {
              spec: { type: 'object', properties: specProperties },
              status: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
            },
          },
        },
      })),
    },
  };
}

const specProperties = {
  size: { type: 'integer', minimum: 1 },
  colour: { type: 'string', default: 'grey', enum: ['grey', 'red', 'blue'] },
  tags: { type: 'array', items: { type: 'string' } },
  inner: { type: 'object', required: ['must'], properties: { must: { type: 'string' } } },
  parts: {
    type: 'array',
    'x-kubernetes-list-type': 'map',
    'x-kubernetes-list-map-keys': ['name'],
    items: {
      type: 'object',
      required: ['name'],
      properties: { name: { type: 'string' }, weight: { type: 'integer' } },
    },
  },
  free: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
};

export async function failureOf(promise: Promise<unknown>): Promise<PetraError> {
  const failure = await promise.then(
    () => 'nothing',
    (error: unknown) => error,
  );
  if (!(failure instanceof PetraError)) throw new Error(`expected a PetraError, got ${failure}`);
  return failure;
}

/** Repeats until the value is there: definitions and deletions take effect a moment after they are accepted. */
export async function eventually<T>(attempt: () => Promise<T | undefined>): Promise<T> {
  for (let left = 100; ; left -= 1) {
    const value = await attempt().catch((error: unknown) => {
      if (left === 0) throw error;
      return undefined;
    });
    if (value !== undefined) return value;
    if (left === 0) throw new Error('what was waited for did not happen');
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
