import { expect, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { renderAll, toYaml } from '../../../core/capi/render-all.ts';
import { renderClusterClass } from '../../../core/capi/render-cluster-class.ts';
import { translateCluster } from '../../../core/capi/translate-cluster.ts';
import { yamlText } from '../../../core/capi/yaml-text.ts';
import { expectGolden } from '../../golden/golden-file.ts';
import { example } from './translate-samples.ts';

const management = example('management.yaml');
const workload = example('workload-dev.yaml');

test('a management spec becomes the ClusterClass and its templates, as reviewed', () => {
  expectGolden('cluster-class.yaml', toYaml(renderAll(management)));
});

test('a workload spec becomes the same, and its Cluster last', () => {
  expect(renderAll(workload)).toEqual([...renderClusterClass(), translateCluster({ spec: workload })]);
});

test('the text reads back as the same objects, document by document', () => {
  const objects = renderAll(workload);
  const documents = parseAllDocuments(toYaml(objects));
  expect(documents.map((document) => document.toJSON())).toEqual(JSON.parse(JSON.stringify(objects)));
});

test('the text has no alias and no folded line, and the same objects give the same text', () => {
  const text = toYaml(renderAll(workload));
  expect(text).not.toMatch(/[:-] [&*]a\d+|: >/);
  expect(toYaml(renderAll(workload))).toBe(text);
});

test.each(['099720109477', '0600', 'no', 'on', 'yes', '1:30', '1_000', 'true', '~', '2026-11-23'])(
  'the string %s stays a string for a parser of YAML 1.1, such as kubectl has',
  (value) => {
    const text = yamlText({ value });
    expect(parse(text, { version: '1.1' })).toEqual({ value });
    expect(parse(text)).toEqual({ value });
  },
);
