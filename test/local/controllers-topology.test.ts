import { describe, expect, test } from 'vitest';
import { renderClusterClass } from '../../core/capi/render-cluster-class.ts';
import { listAt, recordAt, textAt } from '../../core/json-fields.ts';
import type { KubernetesObject } from '../../core/ports.ts';
import { TopologyError } from '../../local/controllers/class-patches.ts';
import { contains } from '../../local/controllers/contains.ts';
import { renderTemplate, TemplateError } from '../../local/controllers/go-template.ts';
import { patchJson } from '../../local/controllers/json-patch.ts';
import { readK3sSetup } from '../../local/controllers/k3s-config.ts';
import { computeTopology } from '../../local/controllers/topology.ts';
import { bringsCloudController, bringsNetwork } from '../../local/controllers/workload-addons.ts';

const objects = renderClusterClass();
const petraClass = objects.find(({ kind }) => kind === 'ClusterClass') ?? fail();
const values = { region: 'us-west-1', uid: 'f00d' };

function fail(): never {
  throw new Error('no ClusterClass');
}

function find(reference: unknown): KubernetesObject | undefined {
  return objects.find(
    ({ kind, metadata }) => kind === textAt(reference, 'kind') && metadata.name === textAt(reference, 'name'),
  );
}

function clusterWith(variables: Readonly<Record<string, unknown>> = {}): KubernetesObject {
  return {
    apiVersion: 'cluster.x-k8s.io/v1beta1',
    kind: 'Cluster',
    metadata: { name: 'demo', namespace: 'default', uid: 'uid-1' },
    spec: {
      topology: {
        class: 'petra',
        version: 'v1.35.3+k3s1',
        controlPlane: { replicas: 3, nodeDrainTimeout: '7m0s' },
        workers: { machineDeployments: [{ class: 'default-worker', name: 'md-0', replicas: 2 }] },
        variables: Object.entries({ ...values, ...variables }).map(([name, value]) => ({ name, value })),
      },
    },
  };
}

function compute(variables: Readonly<Record<string, unknown>> = {}, clusterClass = petraClass) {
  return computeTopology(clusterWith(variables), clusterClass, find);
}

function withPatch(patch: Readonly<Record<string, unknown>>): KubernetesObject {
  return { ...petraClass, spec: { ...recordAt(petraClass, 'spec'), patches: [{ name: 'own', ...patch }] } };
}

const region = (template: string) => ({
  definitions: [
    {
      selector: {
        apiVersion: 'infrastructure.cluster.x-k8s.io/v1beta2',
        kind: 'AWSClusterTemplate',
        matchResources: { infrastructureCluster: true },
      },
      jsonPatches: [{ op: 'add', path: '/spec/template/spec/region', valueFrom: { template } }],
    },
  ],
});

describe('the topology of the class petra', () => {
  test('has region, tags and instance types where the providers read them', () => {
    const { infrastructureCluster, controlPlaneMachineTemplate, workers } = compute({
      workerInstanceType: 'm7g.large',
    });
    expect(infrastructureCluster).toMatchObject({
      apiVersion: 'infrastructure.cluster.x-k8s.io/v1beta2',
      kind: 'AWSCluster',
      spec: {
        region: 'us-west-1',
        additionalTags: {
          'petra.sh/cluster': 'demo',
          'petra.sh/profile': 'standard',
          'petra.sh/uid': 'f00d',
        },
      },
    });
    expect(textAt(controlPlaneMachineTemplate, 'spec', 'template', 'spec', 'imageLookupFormat')).toContain(
      'amd64',
    );
    expect(workers[0]?.machineTemplate).toMatchObject({
      spec: { template: { spec: { instanceType: 'm7g.large', imageLookupOrg: '099720109477' } } },
    });
    const lookup = textAt(workers[0]?.machineTemplate, 'spec', 'template', 'spec', 'imageLookupFormat');
    expect(lookup).toContain('arm64');
  });

  test('gives the control plane its count, version, template and timeouts', () => {
    const { controlPlane, controlPlaneMachineTemplate } = compute();
    expect(controlPlane.spec).toMatchObject({
      replicas: 3,
      version: 'v1.35.3+k3s1',
      machineTemplate: {
        infrastructureRef: { kind: 'AWSMachineTemplate', name: controlPlaneMachineTemplate.metadata.name },
        nodeDrainTimeout: '7m0s',
        nodeDeletionTimeout: '1m0s',
      },
    });
  });

  test('copies a template with its labels, and says whose copy it is', () => {
    const [worker] = compute().workers;
    expect(worker?.machineTemplate.metadata.labels).toEqual({
      'app.kubernetes.io/managed-by': 'petra',
      'cluster.x-k8s.io/cluster-name': 'demo',
      'topology.cluster.x-k8s.io/owned': '',
      'topology.cluster.x-k8s.io/deployment-name': 'md-0',
    });
  });

  test('has the same names whenever it is computed, and new templates only for new content', () => {
    const templateOf = (variables: Readonly<Record<string, unknown>>) =>
      compute(variables).workers[0]?.machineTemplate.metadata.name;
    expect(compute()).toEqual(compute());
    expect(templateOf({ controlPlaneInstanceType: 'm5a.xlarge' })).toBe(templateOf({}));
    expect(templateOf({ workerInstanceType: 'm5a.xlarge' })).not.toBe(templateOf({}));
  });

  test('uses an existing VPC when one is given', () => {
    const network = { vpcId: 'vpc-0123456789abcdef0', subnetIds: ['subnet-01234567', 'subnet-89abcdef'] };
    expect(recordAt(compute({ network }).infrastructureCluster, 'spec', 'network')).toMatchObject({
      vpc: { id: 'vpc-0123456789abcdef0' },
      subnets: [{ id: 'subnet-01234567' }, { id: 'subnet-89abcdef' }],
    });
  });

  test.each([
    { addons: {}, charts: ['aws-cloud-controller-manager', 'cilium', 'flux'], hasFlannel: false },
    {
      addons: { cilium: { enabled: false } },
      charts: ['aws-cloud-controller-manager', 'flux'],
      hasFlannel: true,
    },
    {
      addons: { flux: { enabled: false } },
      charts: ['aws-cloud-controller-manager', 'cilium'],
      hasFlannel: false,
    },
  ])('deploys $charts with addons $addons', ({ addons, charts, hasFlannel }) => {
    const setup = readK3sSetup(recordAt(compute({ addons }).controlPlane, 'spec', 'kthreesConfigSpec'));
    expect(setup.charts.map(({ metadata }) => metadata.name).sort()).toEqual(charts);
    expect(setup.hasFlannel).toBe(hasFlannel);
    expect(bringsNetwork(setup)).toBe(true);
    expect(bringsCloudController(setup)).toBe(true);
  });
});

describe('a wrong class is told', () => {
  test.each([
    {
      what: 'an unknown function',
      patch: region('{{ shout .region }}'),
      says: 'function "shout" is not simulated',
    },
    { what: 'a broken template', patch: region('{{ if .region }}x'), says: 'has no {{end}}' },
    { what: 'a field of nothing', patch: region('{{ .nothing.there }}'), says: 'nil pointer evaluating' },
    {
      what: 'a path without a parent',
      patch: {
        definitions: [
          {
            selector: region('').definitions[0]?.selector,
            jsonPatches: [{ op: 'add', path: '/spec/template/spec/no/where', value: 1 }],
          },
        ],
      },
      says: 'doc is missing path: "/spec/template/spec/no/where"',
    },
    {
      what: 'a variable that has no value',
      patch: {
        definitions: [
          {
            selector: region('').definitions[0]?.selector,
            jsonPatches: [{ op: 'add', path: '/spec/template/spec/x', valueFrom: { variable: 'nobody' } }],
          },
        ],
      },
      says: 'variable "nobody" has no value',
    },
  ])('when a patch has $what', ({ patch, says }) => {
    expect(() => compute({}, withPatch(patch))).toThrow(TopologyError);
    expect(() => compute({}, withPatch(patch))).toThrow(says);
    expect(() => compute({}, withPatch(patch))).toThrow('patch "own"');
  });

  test('when a template does not exist', () => {
    expect(() => computeTopology(clusterWith(), petraClass, () => undefined)).toThrow(
      /failed to get AWSClusterTemplate/,
    );
  });

  test('but not when the wrong patch is not enabled', () => {
    const patch = { ...region('{{ shout .region }}'), enabledIf: '{{ eq .profile "none" }}' };
    expect(compute({}, withPatch(patch)).infrastructureCluster.kind).toBe('AWSCluster');
  });
});

describe('a template', () => {
  const data = { name: 'demo', on: true, off: false, count: 2, list: ['a', 'b'], map: { x: 'y' }, empty: {} };

  test.each([
    ['plain', 'plain'],
    ['{{ .name }}-{{.count}}', 'demo-2'],
    ['{{ .map.x }}', 'y'],
    ['{{ $.name }}', 'demo'],
    ['{{ .missing }}', '<no value>'],
    ['{{ if .on }}a{{ else }}b{{ end }}', 'a'],
    ['{{ if .off }}a{{ else if .on }}c{{ else }}b{{ end }}', 'c'],
    ['{{ if .empty }}a{{ else }}b{{ end }}', 'b'],
    ['{{ if and .on (not .off) }}a{{ end }}', 'a'],
    ['{{ if or .off .missing }}a{{ else }}b{{ end }}', 'b'],
    ['{{ and .missing .on }}', '<no value>'],
    ['{{ if eq .name "x" "demo" }}a{{ end }}', 'a'],
    ['{{ if ne .count 3 }}a{{ end }}', 'a'],
    ['{{ if gt .count 1 }}a{{ end }}', 'a'],
    ['{{ range .list }}[{{ . }}]{{ end }}', '[a][b]'],
    ['{{ range .missing }}x{{ else }}none{{ end }}', 'none'],
    ['{{ with .map }}{{ .x }}{{ end }}', 'y'],
    ['{{ $v := .name }}{{ $v | upper }}', 'DEMO'],
    ['{{ .missing | default "d" | quote }}', '"d"'],
    ['{{ printf "%s/%d" .name .count }}', 'demo/2'],
    ['{{ regexMatch "^d.*o$" .name }}', 'true'],
    ['{{ hasPrefix "de" .name }}{{ contains "em" .name }}', 'truetrue'],
    ['{{ len .list }}{{ len .map }}{{ len .name }}', '214'],
    ['{{ index .map "x" }}', 'y'],
    ['{{ `{{raw}}` }}', '{{raw}}'],
    ['{{ "{{quoted}}" }}', '{{quoted}}'],
    ['a {{- " b " -}} c', 'a b c'],
    ['{{/* nothing */}}x', 'x'],
    ['{{ "a\nb" | replace "\n" "+" }}'.replaceAll('\n', '\\n'), 'a+b'],
    ['{{ (index .list 1) }}', 'b'],
    ['{{ indent 2 .name }}', '  demo'],
  ])('%s becomes %s', (template, text) => {
    expect(renderTemplate(template, data)).toBe(text);
  });

  test.each(['{{ .name', '{{ end }}', '{{ if .on }}', '{{ $x }}', '{{ (.name }}', '{{ .name ! }}', '{{ }}'])(
    '%s is an error',
    (template) => {
      expect(() => renderTemplate(template, data)).toThrow(TemplateError);
    },
  );
});

test('patches add, replace and remove without touching the original', () => {
  const document = { a: { list: [1, 2], gone: true }, 'x/y': 1 };
  const patched = patchJson<unknown>(document, [
    { op: 'add', path: '/a/list/-', value: 3 },
    { op: 'add', path: '/a/list/0', value: 0 },
    { op: 'replace', path: '/x~1y', value: 2 },
    { op: 'remove', path: '/a/gone' },
  ]);
  expect(patched).toEqual({ a: { list: [0, 1, 2, 3] }, 'x/y': 2 });
  expect(document.a.list).toEqual([1, 2]);
  expect(() => patchJson(document, [{ op: 'replace', path: '/none', value: 1 }])).toThrow(/missing key/);
  expect(() => patchJson(document, [{ op: 'add', path: '/a/list/9', value: 1 }])).toThrow(/invalid index/);
});

test('a patch reaches nothing but the document', () => {
  for (const path of ['/__proto__/injected', '/constructor/prototype/injected', '/a/__proto__/injected']) {
    expect(() => patchJson({ a: {} }, [{ op: 'add', path, value: 1 }])).toThrow(/missing path/);
  }
  expect(
    patchJson<object>({}, [{ op: 'add', path: '/__proto__', value: { injected: 1 } }]),
  ).not.toHaveProperty('injected');
  expect({}).not.toHaveProperty('injected');
  expect(() => renderTemplate('{{ constructor .name }}', {})).toThrow(/is not simulated/);
});

describe('what k3s would do', () => {
  const chart =
    'kind: HelmChart\nmetadata:\n  name: cilium\nspec:\n  chart: oci://mirror.example/charts/cilium\n';
  const path = '/var/lib/rancher/k3s/server/manifests/x.yaml';

  test.each([
    { encoding: undefined, content: chart },
    { encoding: undefined, content: `{% raw %}\n${chart}{% endraw %}\n` },
    { encoding: 'base64', content: Buffer.from(chart).toString('base64') },
  ])('is read from a file with encoding $encoding', ({ encoding, content }) => {
    const setup = readK3sSetup({ files: [{ path, content, ...(encoding ? { encoding } : {}) }] });
    expect(listAt(setup.charts).map((found) => contains(found, { metadata: { name: 'cilium' } }))).toEqual([
      true,
    ]);
    expect(bringsNetwork({ ...setup, hasFlannel: false })).toBe(true);
    expect(bringsCloudController(setup)).toBe(false);
  });

  test('needs no cloud controller manager when none is named', () => {
    expect(bringsCloudController(readK3sSetup({ serverConfig: { cloudProviderName: '' } }))).toBe(true);
  });
});
