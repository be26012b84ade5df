import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { type ClassPatch, classPatches } from '../../../core/capi/class-patches.ts';
import { classTemplates } from '../../../core/capi/class-templates.ts';
import { classVariables } from '../../../core/capi/class-variables.ts';
import { architectureOf, armInstanceType } from '../../../core/capi/instance-architecture.ts';
import { renderClusterClass } from '../../../core/capi/render-cluster-class.ts';
import type { KubernetesObject } from '../../../core/ports.ts';
import flags from '../../fixtures/k3s-flags.json' with { type: 'json' };

const templates = classTemplates();
const objects = renderClusterClass();
const text = JSON.stringify(objects);

test('the class comes after the templates it names, and names them all', () => {
  const last = objects.at(-1);
  expect(last?.kind).toBe('ClusterClass');
  const named = [...JSON.stringify(last).matchAll(/"kind":"(\w+Template)","name":"([^"]+)"/g)].map((m) => [
    m[1],
    m[2],
  ]);
  const rendered = objects.slice(0, -1).map(({ kind, metadata }) => [kind, metadata.name]);
  expect(named.toSorted()).toEqual(rendered.toSorted());
});

test("a template's name ends with a hash of its content, since templates cannot be changed", () => {
  for (const template of Object.values(templates)) {
    const { metadata } = template;
    const content = JSON.stringify(valueAt(template, ['spec', 'template', 'spec']));
    expect(metadata.name).toMatch(
      new RegExp(`^petra-[a-z-]+-${createHash('sha256').update(content).digest('hex').slice(0, 8)}$`),
    );
  }
});

describe('patches', () => {
  const patches = classPatches();
  const byKind = new Map<string, KubernetesObject[]>();
  for (const template of Object.values(templates)) {
    byKind.set(template.kind, [...(byKind.get(template.kind) ?? []), template]);
  }
  const steps = patches.flatMap((patch) =>
    patch.definitions.flatMap(({ selector, jsonPatches }) =>
      jsonPatches.map((step) => ({ patch: patch.name, kind: String(selector.kind), ...step })),
    ),
  );

  test.each(steps)('$patch: $op $path of $kind has something to change', ({ kind, op, path }) => {
    const selected = byKind.get(kind) ?? [];
    expect(selected.length).toBeGreaterThan(0);
    for (const template of selected) {
      const parts = path.split('/').slice(1);
      if (op === 'add') parts.pop();
      expect(valueAt(template, parts)).toBeDefined();
    }
  });

  test('read no variable that the class does not declare', () => {
    const read = [...JSON.stringify(patches).matchAll(/\{\{.*?\}\}/g)].flatMap(([expression]) =>
      [...expression.matchAll(/(?<![\w.])\.([a-zA-Z]+)/g)].map((match) => match[1]),
    );
    // Without `vpcId` and the like, which follow a variable's name.
    expect([...new Set(read)].toSorted()).toEqual([
      'addons',
      'builtin',
      'controlPlaneInstanceType',
      'network',
      'profile',
      'region',
      'uid',
      'workerInstanceType',
    ]);
    expect(classVariables.map(({ name }) => name)).toEqual(
      expect.arrayContaining(read.filter((name) => name !== 'builtin')),
    );
  });

  test('use every variable', () => {
    const used = JSON.stringify(patches);
    expect(classVariables.filter(({ name }) => !new RegExp(`[."]${name}\\b`).test(used))).toEqual([]);
  });

  test('have names of their own', () => {
    const names = patches.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
  });
});

test('only the region must be given; every other variable has a default', () => {
  expect(classVariables.filter(({ required }) => required).map(({ name }) => name)).toEqual(['region']);
  const withoutDefault = classVariables.filter(({ schema }) => !('default' in schema.openAPIV3Schema));
  expect(withoutDefault.map(({ name }) => name)).toEqual(['region']);
});

describe('files on nodes', () => {
  const files = nodeFiles(classPatches());

  test('are free of the marks of Jinja, which cloud-init would act upon', () => {
    for (const { path, content } of files) expect(`${path}: ${content}`).not.toMatch(/\{\{|\{%|\{#/);
  });

  test('use Jinja for the name of the node alone', () => {
    const marks = [...JSON.stringify(Object.values(templates)).matchAll(/\{[{%#].*?\}/g)].map(
      ([mark]) => mark,
    );
    expect(new Set(marks)).toEqual(new Set(['{{ ds.meta_data.local_hostname }']));
  });

  test('are YAML where they say so', () => {
    const documents = files.filter(({ path }) => path.endsWith('.yaml'));
    for (const { content } of documents) expect(parse(content)).toBeTypeOf('object');
    expect(documents.map(({ path }) => path)).toContain(
      '/var/lib/rancher/k3s/server/manifests/petra-cilium.yaml',
    );
  });

  test.each([
    ['server', 'KThreesControlPlaneTemplate'],
    ['agent', 'KThreesConfigTemplate'],
  ] as const)('configure a k3s %s with flags that it has', (role, kind) => {
    const dropIns = files.filter(
      (file) => file.kind === kind && file.path.startsWith('/etc/rancher/k3s/config.yaml.d/'),
    );
    expect(dropIns.length).toBeGreaterThan(1);
    for (const { content } of dropIns) {
      expect(flags[role]).toEqual(expect.arrayContaining(Object.keys(parse(content))));
    }
  });

  test('leave room in the user data of a first server', () => {
    const all = files
      .filter(({ kind }) => kind === 'KThreesControlPlaneTemplate')
      .map(({ content }) => content)
      .join('');
    // Measured with the provider's own code (cluster-api-k3s v0.3.1): its certificates and manifests take 5.9 kB of a
    // compressed user data of 8.4 kB.
    expect(gzipSync(all).length + 6_000).toBeLessThan(16_384);
  });

  test('of cilium are written only with cilium, and so are its ingress rules', () => {
    const cilium = classPatches().filter((patch) =>
      /cilium|4240|flannel-backend/.test(JSON.stringify(patch.definitions)),
    );
    expect(cilium.map(({ name, enabledIf }) => [name, enabledIf])).toEqual([
      ['cilium', '{{ if .addons.cilium.enabled }}true{{ end }}'],
    ]);
  });
});

test('servers get the label by which the control-plane provider counts them', () => {
  const commands = valueAt(templates.controlPlane, [
    'spec',
    'template',
    'spec',
    'kthreesConfigSpec',
    'postK3sCommands',
  ]);
  expect(commands).toEqual([
    expect.stringContaining(
      'kubectl label --overwrite node {{ ds.meta_data.local_hostname }} node-role.kubernetes.io/master=true;',
    ),
  ]);
});

describe('machines', () => {
  test.each([
    ['m7g.large', 'arm64'],
    ['c7gn.xlarge', 'arm64'],
    ['t4g.micro', 'arm64'],
    ['im4gn.large', 'arm64'],
    ['is4gen.large', 'arm64'],
    ['x2gd.metal', 'arm64'],
    ['g5g.xlarge', 'arm64'],
    ['hpc7g.4xlarge', 'arm64'],
    ['a1.large', 'arm64'],
    ['p6e-gb200.36xlarge', 'arm64'],
    ['m5a.large', 'amd64'],
    ['g5.xlarge', 'amd64'],
    ['g4dn.xlarge', 'amd64'],
    ['g6e.xlarge', 'amd64'],
    ['c7i.metal-24xl', 'amd64'],
    ['m7i-flex.large', 'amd64'],
    ['u-6tb1.metal', 'amd64'],
    ['p5en.48xlarge', 'amd64'],
  ])('of type %s are %s', (instanceType, architecture) => {
    expect(architectureOf(instanceType)).toBe(architecture);
  });

  test('of both roles choose their image by the same rule', () => {
    const chosen = [...text.matchAll(/regexMatch \\"(.*?)\\" \.(\w+)/g)].map((match) => [match[1], match[2]]);
    expect(chosen).toEqual([
      [armInstanceType, 'controlPlaneInstanceType'],
      [armInstanceType, 'workerInstanceType'],
    ]);
  });

  test.each([templates.controlPlaneMachine, templates.workerMachine])(
    'have no key, no IMDSv1, no plain disk: $metadata.name',
    (machine) => {
      expect(valueAt(machine, ['spec', 'template', 'spec'])).toMatchObject({
        sshKeyName: '',
        instanceMetadataOptions: { httpTokens: 'required', httpPutResponseHopLimit: 2 },
        rootVolume: { encrypted: true, type: 'gp3' },
        cloudInit: { insecureSkipSecretsManager: true },
        uncompressedUserData: false,
      });
    },
  );
});

function valueAt(value: unknown, path: readonly string[]): unknown {
  let at = value;
  for (const part of path) {
    if (typeof at !== 'object' || at === null) return undefined;
    at = Reflect.get(at, part);
  }
  return at;
}

/** Every file that a patch adds, as it is on a cluster called `demo`. */
function nodeFiles(patches: readonly ClassPatch[]): { kind: string; path: string; content: string }[] {
  const inTemplates = Object.values(templates).flatMap((template) => {
    const spec = valueAt(template, ['spec', 'template', 'spec']);
    const files = valueAt(spec, ['kthreesConfigSpec', 'files']) ?? valueAt(spec, ['files']);
    return Array.isArray(files) ? files.map((file) => ({ kind: template.kind, ...file })) : [];
  });
  const added = patches.flatMap(({ definitions }) =>
    definitions.flatMap(({ selector, jsonPatches }) =>
      jsonPatches
        .filter(({ path }) => path.endsWith('/files/-'))
        .map((step) => ({
          kind: selector.kind,
          ...('value' in step
            ? Object(step.value)
            : parse(
                String(valueAt(step.valueFrom, ['template'])).replaceAll(
                  '{{ .builtin.cluster.name }}',
                  'demo',
                ),
              )),
        })),
    ),
  );
  return [...inTemplates, ...added];
}
