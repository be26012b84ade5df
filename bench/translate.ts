// How many specs a second Petra parses, translates and renders. Run: node bench/translate.ts [count]

import { parseClusterSpec } from '../core/capi/cluster-spec.ts';
import { renderAll, toYaml } from '../core/capi/render-all.ts';
import type { ClusterSpec } from '../core/capi/spec-schema.ts';
import { translateCluster } from '../core/capi/translate-cluster.ts';

const count = Number(process.argv[2] ?? 1000);

const files = Array.from(
  { length: count },
  (_, index) => `apiVersion: petra.sh/v1alpha1
kind: Cluster
metadata:
  name: workload-${index}
spec:
  kubernetes:
    version: v1.35.3+k3s1
  profile: standard
  target:
    type: aws
    region: us-west-1
  nodes:
    controlPlane:
      count: ${index % 2 === 0 ? 1 : 3}
      instanceType: m5a.large
    workers:
      count: ${index % 10}
      instanceType: m7g.large
  addons:
    cilium:
      enabled: ${index % 3 !== 0}
    flux:
      enabled: true
`,
);

/** Runs `work` once to warm up and once with the clock, and prints the rate. */
function measure(what: string, work: () => void): void {
  work();
  const started = performance.now();
  work();
  const seconds = (performance.now() - started) / 1000;
  console.log(`${what.padEnd(44)} ${Math.round(count / seconds).toLocaleString('en')} specs per second`);
}

let specs: ClusterSpec[] = [];
measure('parse and check', () => {
  specs = files.map((text, index) => parseClusterSpec(text, { file: `${index}.yaml` }));
});
measure('translate', () => {
  for (const spec of specs) translateCluster({ spec });
});
measure('translate and write as YAML', () => {
  for (const spec of specs) toYaml([translateCluster({ spec })]);
});
measure('parse, translate and write as YAML', () => {
  for (const [index, text] of files.entries()) {
    toYaml([translateCluster({ spec: parseClusterSpec(text, { file: `${index}.yaml` }) })]);
  }
});
measure('parse and render all, with the ClusterClass', () => {
  for (const [index, text] of files.entries()) {
    toYaml(renderAll(parseClusterSpec(text, { file: `${index}.yaml` })));
  }
});
