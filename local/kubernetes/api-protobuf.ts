// Bodies that kubectl writes in protobuf: `kubectl create namespace|configmap|secret|deployment|…` and
// `kubectl auth can-i`. Only requests are read, and only the kinds and fields that those commands send.
// Envelope and field numbers: k8s.io/apimachinery/pkg/runtime/serializer/protobuf and the generated.proto files
// of k8s.io/api.

import { isObject, type JsonObject } from './api-json.ts';
import { ApiStatusError } from './api-status.ts';

/** Field number → name and type; `[]`: repeated, `map`: string keys. A lower-case type is a scalar. */
type Message = Readonly<Record<number, readonly [name: string, type: string]>>;

const labelled: Message = { 1: ['matchLabels', 'map string'] };

const messages: Readonly<Record<string, Message>> = {
  Unknown: { 1: ['typeMeta', 'TypeMeta'], 2: ['raw', 'bytes'] },
  TypeMeta: { 1: ['apiVersion', 'string'], 2: ['kind', 'string'] },
  ObjectMeta: {
    1: ['name', 'string'],
    2: ['generateName', 'string'],
    3: ['namespace', 'string'],
    5: ['uid', 'string'],
    6: ['resourceVersion', 'string'],
    11: ['labels', 'map string'],
    12: ['annotations', 'map string'],
    14: ['finalizers', 'string[]'],
  },
  Namespace: { 1: ['metadata', 'ObjectMeta'] },
  ServiceAccount: { 1: ['metadata', 'ObjectMeta'] },
  ConfigMap: {
    1: ['metadata', 'ObjectMeta'],
    2: ['data', 'map string'],
    3: ['binaryData', 'map bytes'],
    4: ['immutable', 'bool'],
  },
  Secret: {
    1: ['metadata', 'ObjectMeta'],
    2: ['data', 'map bytes'],
    3: ['type', 'string'],
    4: ['stringData', 'map string'],
    5: ['immutable', 'bool'],
  },
  Service: { 1: ['metadata', 'ObjectMeta'], 2: ['spec', 'ServiceSpec'] },
  ServiceSpec: {
    1: ['ports', 'ServicePort[]'],
    2: ['selector', 'map string'],
    3: ['clusterIP', 'string'],
    4: ['type', 'string'],
    10: ['externalName', 'string'],
  },
  ServicePort: {
    1: ['name', 'string'],
    2: ['protocol', 'string'],
    3: ['port', 'int'],
    4: ['targetPort', 'IntOrString'],
    5: ['nodePort', 'nonzero'],
  },
  IntOrString: { 1: ['type', 'int'], 2: ['intVal', 'int'], 3: ['strVal', 'string'] },
  Deployment: { 1: ['metadata', 'ObjectMeta'], 2: ['spec', 'DeploymentSpec'] },
  DeploymentSpec: {
    1: ['replicas', 'int'],
    2: ['selector', 'LabelSelector'],
    3: ['template', 'PodTemplateSpec'],
  },
  LabelSelector: labelled,
  PodTemplateSpec: { 1: ['metadata', 'ObjectMeta'], 2: ['spec', 'PodSpec'] },
  Job: { 1: ['metadata', 'ObjectMeta'], 2: ['spec', 'JobSpec'] },
  JobSpec: { 6: ['template', 'PodTemplateSpec'] },
  Pod: { 1: ['metadata', 'ObjectMeta'], 2: ['spec', 'PodSpec'] },
  PodSpec: { 2: ['containers', 'Container[]'], 3: ['restartPolicy', 'string'] },
  Container: {
    1: ['name', 'string'],
    2: ['image', 'string'],
    3: ['command', 'string[]'],
    4: ['args', 'string[]'],
    6: ['ports', 'ContainerPort[]'],
    7: ['env', 'EnvVar[]'],
  },
  ContainerPort: { 1: ['name', 'string'], 3: ['containerPort', 'int'], 4: ['protocol', 'string'] },
  EnvVar: { 1: ['name', 'string'], 2: ['value', 'string'] },
  Role: { 1: ['metadata', 'ObjectMeta'], 2: ['rules', 'PolicyRule[]'] },
  ClusterRole: { 1: ['metadata', 'ObjectMeta'], 2: ['rules', 'PolicyRule[]'] },
  PolicyRule: {
    1: ['verbs', 'string[]'],
    2: ['apiGroups', 'string[]'],
    3: ['resources', 'string[]'],
    4: ['resourceNames', 'string[]'],
    5: ['nonResourceURLs', 'string[]'],
  },
  RoleBinding: {
    1: ['metadata', 'ObjectMeta'],
    2: ['subjects', 'Subject[]'],
    3: ['roleRef', 'RoleRef'],
  },
  ClusterRoleBinding: {
    1: ['metadata', 'ObjectMeta'],
    2: ['subjects', 'Subject[]'],
    3: ['roleRef', 'RoleRef'],
  },
  Subject: {
    1: ['kind', 'string'],
    2: ['apiGroup', 'string'],
    3: ['name', 'string'],
    4: ['namespace', 'string'],
  },
  RoleRef: { 1: ['apiGroup', 'string'], 2: ['kind', 'string'], 3: ['name', 'string'] },
  SelfSubjectAccessReview: { 2: ['spec', 'SelfSubjectAccessReviewSpec'] },
  SelfSubjectAccessReviewSpec: { 1: ['resourceAttributes', 'ResourceAttributes'] },
  ResourceAttributes: {
    1: ['namespace', 'string'],
    2: ['verb', 'string'],
    3: ['group', 'string'],
    4: ['version', 'string'],
    5: ['resource', 'string'],
    6: ['subresource', 'string'],
    7: ['name', 'string'],
  },
  SelfSubjectRulesReview: {},
  SelfSubjectReview: {},
};

const magic = Buffer.from('k8s\0');

/** The object in a protobuf body. @throws ApiStatusError 415 for a kind that is not known here, 400 for what is no such body */
export function decodeProtobuf(body: Buffer): JsonObject {
  if (!body.subarray(0, magic.length).equals(magic)) {
    throw new ApiStatusError(400, 'BadRequest', 'provided data does not appear to be a protobuf message');
  }
  const { typeMeta, raw } = decode(body.subarray(magic.length), 'Unknown');
  const { apiVersion, kind } = isObject(typeMeta) ? typeMeta : {};
  if (typeof kind !== 'string' || messages[kind] === undefined) {
    const message = `a ${kind} cannot be read as protobuf; send it as JSON, for example with kubectl create -f`;
    throw new ApiStatusError(415, 'UnsupportedMediaType', message);
  }
  const content = Buffer.from(typeof raw === 'string' ? raw : '', 'base64');
  return { apiVersion, kind, ...decode(content, kind) };
}

function decode(buffer: Buffer, messageName: string): Record<string, unknown> {
  const message = messages[messageName] ?? {};
  const result: Record<string, unknown> = {};
  const reader = new Reader(buffer);
  while (!reader.isAtEnd) {
    const { field, content } = reader.next();
    const [name, type = ''] = message[field] ?? [];
    if (name === undefined) continue;
    if (type.startsWith('map ')) {
      const { key, value } = decodeEntry(content, type.slice(4));
      const present = result[name];
      result[name] = { ...(isObject(present) ? present : {}), [key]: value };
    } else if (type.endsWith('[]')) {
      const present = result[name];
      result[name] = [...(Array.isArray(present) ? present : []), readValue(content, type.slice(0, -2))];
    } else {
      const value = readValue(content, type);
      // Go writes the zero value of every field that is not optional.
      if (value !== '' && value !== undefined) result[name] = value;
    }
  }
  return result;
}

function decodeEntry(
  content: Buffer | number,
  type: string,
): { readonly key: string; readonly value: unknown } {
  let key = '';
  let value: unknown = '';
  const reader = new Reader(content instanceof Buffer ? content : Buffer.alloc(0));
  while (!reader.isAtEnd) {
    const part = reader.next();
    if (part.field === 1) key = String(readValue(part.content, 'string'));
    if (part.field === 2) value = readValue(part.content, type);
  }
  return { key, value };
}

function readValue(content: Buffer | number, type: string): unknown {
  if (typeof content === 'number') {
    if (type === 'nonzero' && content === 0) return undefined;
    return type === 'bool' ? content !== 0 : content;
  }
  if (type === 'string') return content.toString('utf8');
  if (type === 'bytes') return content.toString('base64');
  const value = decode(content, type);
  if (type === 'IntOrString')
    return value.type === 1 ? value.strVal : (value.intVal ?? undefined) || undefined;
  return value;
}

/** Goes through the fields of one message. */
class Reader {
  readonly #buffer: Buffer;
  #position = 0;

  constructor(buffer: Buffer) {
    this.#buffer = buffer;
  }

  get isAtEnd(): boolean {
    return this.#position >= this.#buffer.length;
  }

  next(): { readonly field: number; readonly content: Buffer | number } {
    const tag = this.#varint();
    const field = Math.floor(tag / 8);
    switch (tag % 8) {
      case 0:
        return { field, content: this.#varint() };
      case 1:
        return { field, content: this.#bytes(8) };
      case 2:
        return { field, content: this.#bytes(this.#varint()) };
      case 5:
        return { field, content: this.#bytes(4) };
      default:
        throw new ApiStatusError(400, 'BadRequest', 'the protobuf message is malformed');
    }
  }

  #varint(): number {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = this.#bytes(1)[0] ?? 0;
      value += (byte % 128) * factor;
      if (byte < 128) return value;
    }
  }

  #bytes(length: number): Buffer {
    const end = this.#position + length;
    if (end > this.#buffer.length) {
      throw new ApiStatusError(400, 'BadRequest', 'the protobuf message is cut short');
    }
    const bytes = this.#buffer.subarray(this.#position, end);
    this.#position = end;
    return bytes;
  }
}
