import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import type { Binaries } from './binaries.ts';
import {
  binaryFolder,
  buildFlags,
  executableName,
  type GoBuild,
  goBuilds,
  modulesOf,
  wrapperGoMod,
} from './go-modules.ts';

const plain: GoBuild = {
  module: 'example.org/tool/v2',
  version: 'v2.3.4',
  programs: [{ name: 'helm-template', main: 'example.org/tool/v2/cmd/tool' }],
};
const program = { name: 'helm-template', main: 'example.org/tool/v2/cmd/tool' } as const;
const here = { platform: 'linux-x64', sources: [] };

test('every program is made by one build', () => {
  // The type asks for each name.
  const expected: Readonly<Record<keyof Binaries, true>> = {
    'kube-apiserver': true,
    'kube-controller-manager': true,
    etcd: true,
    'capi-core': true,
    clusterctl: true,
    'k3s-bootstrap': true,
    'k3s-control-plane': true,
    capa: true,
    'cert-manager': true,
    'helm-template': true,
    'helm-controller': true,
  };
  const made = goBuilds.flatMap(({ programs }) => programs.map(({ name }) => name));
  expect(made.toSorted()).toEqual(Object.keys(expected).toSorted());
});

test('programs that are built together have different file names', () => {
  for (const { programs } of goBuilds) {
    expect(new Set(programs.map(({ main }) => executableName(main))).size).toBe(programs.length);
  }
});

test.each([
  ['k8s.io/kubernetes/cmd/kube-apiserver', 'kube-apiserver'],
  ['sigs.k8s.io/cluster-api', 'cluster-api'],
  ['go.etcd.io/etcd/server/v3', 'server'],
])('the go command names the program of %s %s', (main, name) => {
  expect(executableName(main)).toBe(name);
});

test('a module is built with its own replacements, which count only in a main module', () => {
  const text = wrapperGoMod(plain, {
    Go: '1.23.0',
    Godebug: [{ Key: 'default', Value: 'go1.23' }],
    Require: [{ Path: 'example.org/used', Version: 'v1.0.0' }],
    Replace: [
      { Old: { Path: 'example.org/a' }, New: { Path: 'example.org/b', Version: 'v1.2.3' } },
      {
        Old: { Path: 'example.org/c', Version: 'v1.0.0' },
        New: { Path: 'example.org/c', Version: 'v1.0.1' },
      },
      { Old: { Path: 'example.org/local' }, New: { Path: '../local' } },
    ],
  });
  expect(text.trim().split('\n')).toEqual([
    'module petra.invalid/conformance',
    'go 1.23.0',
    'godebug default=go1.23',
    'require example.org/tool/v2 v2.3.4',
    'replace example.org/a => example.org/b v1.2.3',
    'replace example.org/c v1.0.0 => example.org/c v1.0.1',
  ]);
});

test("Kubernetes' own libraries are taken as they are published for its version", () => {
  const build = goBuilds.find(({ module }) => module === 'k8s.io/kubernetes');
  const text = build && wrapperGoMod(build, { Require: [{ Path: 'k8s.io/api', Version: 'v0.0.0' }] });
  expect(text).toContain(`replace k8s.io/api => k8s.io/api v0.${build?.version.slice('v1.'.length)}\n`);
});

test('modules that are built along with another are required, and have no replacements of their own', () => {
  const along = [{ module: 'example.org/other', version: 'v1.0.0' }];
  expect(wrapperGoMod({ ...plain, along }, {})).toContain(
    'require example.org/tool/v2 v2.3.4\nrequire example.org/other v1.0.0\n',
  );
});

test("a main package of Petra's own is in a module that may import what is internal there", () => {
  const own = goBuilds.filter((build) => build.own !== undefined);
  expect(own.length).toBeGreaterThan(0);
  for (const build of own) {
    expect(wrapperGoMod(build, {})).toMatch(new RegExp(`^module ${build.module}/[a-z-]+$`, 'm'));
  }
});

test('the linker sets the versions that programs tell of themselves', () => {
  const build = goBuilds.find(({ module }) => module === 'k8s.io/kubernetes');
  const flags = build && buildFlags(build).at(-1);
  expect(flags).toContain('-s -w -X k8s.io/component-base/version.gitVersion=v1.');
  expect(flags).toMatch(/gitMajor=1 .*gitMinor=\d+/);
});

test('a program has a place of its own for all that it is made of', () => {
  const folders = [
    binaryFolder(plain, program, here),
    binaryFolder({ ...plain, version: 'v2.3.5' }, program, here),
    binaryFolder({ ...plain, module: 'example.org/fork/v2' }, program, here),
    binaryFolder({ ...plain, along: [{ module: 'example.org/other', version: 'v1.0.0' }] }, program, here),
    binaryFolder({ ...plain, variables: { 'example.org/tool/v2.version': 'v2' } }, program, here),
    binaryFolder(plain, { ...program, main: 'example.org/tool/v2/cmd/other' }, here),
    binaryFolder(plain, program, { ...here, platform: 'darwin-arm64' }),
    binaryFolder(plain, program, { ...here, sources: ['package main'] }),
  ];
  expect(new Set(folders).size).toBe(folders.length);
  expect(binaryFolder(plain, program, here)).toBe(folders[0]);
  expect(folders[0]).toMatch(/^helm-template-v2\.3\.4-[0-9a-f]{12}$/);
  expect(binaryFolder(plain, { ...program, version: 'v1.0.0' }, here)).toMatch(/^helm-template-v1\.0\.0-/);
});

test('the checksums of every pinned module are committed', () => {
  const checksums = `\n${readFileSync(path.join(import.meta.dirname, 'go', 'checksums.txt'), 'utf8')}`;
  for (const { module, version } of goBuilds.flatMap(modulesOf)) {
    expect(checksums).toContain(`\n${module} ${version} h1:`);
    expect(checksums).toContain(`\n${module} ${version}/go.mod h1:`);
  }
});
