// Reads manifests as kubectl and clusterctl do: several documents, scalars by go-yaml v2's rules (compared with
// sigs.k8s.io/yaml v1.4.0; what differs is no value of a manifest: infinity, integers above 2^53). Not by the library
// that reads specs: that one keeps where everything stands, and takes five times as long over a megabyte.

import {
  boolCoreTag,
  CORE_SCHEMA,
  defineScalarTag,
  intCoreTag,
  loadAll,
  mergeTag,
  YAMLException,
} from 'js-yaml';
import { PetraError } from '../errors.ts';
import { isObject } from '../json-fields.ts';
import type { KubernetesObject } from '../ports.ts';

// go-yaml v2 is YAML 1.2's core schema plus these from YAML 1.1. The library's own 1.1 schema goes further than
// Kubernetes: for it `12:30` is a number and a date is a date.
const oldBoolean = /^(?:y|Y|yes|Yes|YES|on|On|ON|n|N|no|No|NO|off|Off|OFF)$/;
const oldOctal = /^[-+]?0[0-7_]+$/;
const groupedInteger = /^[-+]?[1-9][0-9]*_[0-9_]*$/;

const boolean = defineScalarTag<boolean>(boolCoreTag.tagName, {
  ...boolCoreTag,
  implicitFirstChars: [...'yYnNoOtTfF'],
  resolve: (text, ...rest) =>
    oldBoolean.test(text) ? /^(?:y|on)/i.test(text) : boolCoreTag.resolve(text, ...rest),
});
const integer = defineScalarTag<number>(intCoreTag.tagName, {
  ...intCoreTag,
  resolve: (text, ...rest) => {
    if (oldOctal.test(text)) return Number.parseInt(text.replaceAll('_', ''), 8);
    if (groupedInteger.test(text)) return Number(text.replaceAll('_', ''));
    return intCoreTag.resolve(text, ...rest);
  },
});
const schema = CORE_SCHEMA.withTags(mergeTag, boolean, integer);

/**
 * The objects of a manifest, in its order; empty documents are left out.
 * @throws ReleaseCorrupt with every document that is no YAML or no Kubernetes object
 */
export function parseManifest(yaml: string, source = 'the manifest'): readonly KubernetesObject[] {
  const problems: string[] = [];
  const objects: KubernetesObject[] = [];
  // One by one, so that each that is wrong is found. A line with this mark ends a document wherever it stands.
  let line = 1;
  for (const text of yaml.split(/^---(?=\s|$)/m)) {
    for (const value of valuesOf(text, line, problems)) {
      if (value === null || value === undefined) continue;
      if (isKubernetesObject(value)) objects.push(withoutNullMetadata(value));
      else problems.push(`the document from line ${line} on has no apiVersion, kind or metadata.name`);
    }
    line += text.split('\n').length - 1;
  }
  if (problems.length > 0) {
    throw new PetraError('ReleaseCorrupt', `${source} is no Kubernetes manifest: ${problems.join('; ')}`, {
      details: { problems },
    });
  }
  return objects;
}

/** What a document that begins in this line holds; nothing when it is no YAML, which is added to the problems. */
function valuesOf(text: string, line: number, problems: string[]): readonly unknown[] {
  try {
    // A key that stands twice counts as it stood last, as for go-yaml v2. Schemas nest deeper than the library expects.
    return loadAll(text, { schema, json: true, maxDepth: 1_000, maxAliases: 100 });
  } catch (error) {
    if (!(error instanceof YAMLException)) throw error;
    problems.push(`line ${line + (error.mark?.line ?? 0)}: ${error.reason}`);
    return [];
  }
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
