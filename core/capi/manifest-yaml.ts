// Reads manifests as kubectl and clusterctl do: several documents, scalars by go-yaml v2's rules (compared with
// sigs.k8s.io/yaml v1.4.0; what differs is no value of a manifest: binary numbers, infinity, integers above 2^53).

import { parseAllDocuments, type ScalarTag, type Tags } from 'yaml';
import { PetraError } from '../errors.ts';
import { isObject } from '../json-fields.ts';
import type { KubernetesObject } from '../ports.ts';

// go-yaml v2 is YAML 1.2's core schema plus these three from YAML 1.1. The library's own 1.1 schema goes further than
// Kubernetes: for it `12:30`, `.` and `e5` are numbers and dates are dates.
const oldBoolean: ScalarTag = {
  tag: 'tag:yaml.org,2002:bool',
  default: true,
  test: /^(?:y|Y|yes|Yes|YES|on|On|ON|n|N|no|No|NO|off|Off|OFF)$/,
  resolve: (text) => /^(?:y|on)/i.test(text),
};
const oldOctal: ScalarTag = {
  tag: 'tag:yaml.org,2002:int',
  default: true,
  test: /^[-+]?0[0-7_]+$/,
  resolve: (text) => Number.parseInt(text.replaceAll('_', ''), 8),
};
const groupedInteger: ScalarTag = {
  tag: 'tag:yaml.org,2002:int',
  default: true,
  test: /^[-+]?[1-9][0-9]*_[0-9_]*$/,
  resolve: (text) => Number(text.replaceAll('_', '')),
};

/**
 * The objects of a manifest, in its order; empty documents are left out.
 * @throws ReleaseCorrupt with every document that is no YAML or no Kubernetes object
 */
export function parseManifest(yaml: string, source = 'the manifest'): readonly KubernetesObject[] {
  const problems: string[] = [];
  const objects: KubernetesObject[] = [];
  const documents = parseAllDocuments(yaml, {
    customTags: (tags: Tags): Tags => [oldBoolean, oldOctal, groupedInteger, ...tags],
    merge: true,
    // Comparing each key with all others of its map is quadratic; go-yaml v2 does not look either, and takes the last.
    uniqueKeys: false,
  });
  for (const [index, document] of documents.entries()) {
    problems.push(...document.errors.map(({ message }) => message.replace(/\n.*/s, '')));
    if (document.errors.length > 0) continue;
    const value: unknown = document.toJS();
    if (value === null || value === undefined) continue;
    if (isKubernetesObject(value)) objects.push(withoutNullMetadata(value));
    else problems.push(`document ${index + 1} has no apiVersion, kind or metadata.name`);
  }
  if (problems.length > 0) {
    throw new PetraError('ReleaseCorrupt', `${source} is no Kubernetes manifest: ${problems.join('; ')}`, {
      details: { problems },
    });
  }
  return objects;
}

function isKubernetesObject(value: unknown): value is KubernetesObject {
  return (
    isObject(value) &&
    typeof value.apiVersion === 'string' &&
    typeof value.kind === 'string' &&
    isObject(value.metadata) &&
    typeof value.metadata.name === 'string'
  );
}

/** `annotations:` with nothing under it is null, as in CAPA's ServiceAccount when its variable is empty. */
function withoutNullMetadata(object: KubernetesObject): KubernetesObject {
  const fields = Object.entries(object.metadata).filter(([, value]) => value !== null);
  return { ...object, metadata: { ...Object.fromEntries(fields), name: object.metadata.name } };
}
