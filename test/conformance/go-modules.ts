// The real programs that the conformance run needs, as builds of pinned Go modules, and what a build is made of. No
// source is copied: each is built in a module of its own that requires the pinned one, with the same replacements.

import { createHash } from 'node:crypto';

export type BinaryName =
  | 'kube-apiserver'
  | 'kube-controller-manager'
  | 'etcd'
  | 'capi-core'
  | 'clusterctl'
  | 'k3s-bootstrap'
  | 'k3s-control-plane'
  | 'capa'
  | 'cert-manager'
  | 'helm-template'
  | 'helm-controller';

/** Of what runs. Kubernetes is what Petra's spec gives a management cluster; etcd is what kubeadm takes for that. */
export const versions = {
  kubernetes: 'v1.35.3',
  etcd: 'v3.6.6',
  capi: 'v1.9.5',
  k3sProviders: 'v0.3.1',
  capa: 'v2.7.2',
  certManager: 'v1.17.1',
  /** With which cert-manager's project renders its own chart at that version (`make/_shared/tools`). */
  helm: 'v3.15.4',
  helmController: 'v0.16.17',
} as const;

export interface Program {
  readonly name: BinaryName;
  /** Its main package. */
  readonly main: string;
  /** When it is not that of the build. */
  readonly version?: string;
}

export interface PinnedModule {
  readonly module: string;
  readonly version: string;
}

export interface GoBuild extends PinnedModule {
  readonly programs: readonly Program[];
  /** Variables that the linker sets, as the project's own release does. */
  readonly variables?: Readonly<Record<string, string>>;
  /**
   * Modules without replacements, whose programs are built along with it. Each library then has the newest of the
   * versions that they ask for, and is compiled once for all.
   */
  readonly along?: readonly PinnedModule[];
  /** Main packages of Petra's own: their folders in `go/`, and the path of the module that has them. */
  readonly own?: { readonly folders: readonly string[]; readonly module: string };
}

// Go lets only packages whose path begins with that of a module import its internal packages.
const certManagerOwn = 'github.com/cert-manager/cert-manager/petra-conformance';

/** In the order in which they are built: what compiles longest is first, while others are still downloaded. */
export const goBuilds: readonly GoBuild[] = [
  {
    module: 'k8s.io/kubernetes',
    version: versions.kubernetes,
    programs: [
      { name: 'kube-apiserver', main: 'k8s.io/kubernetes/cmd/kube-apiserver' },
      { name: 'kube-controller-manager', main: 'k8s.io/kubernetes/cmd/kube-controller-manager' },
    ],
    // Without them the API server cannot read its own version, and does not start.
    variables: versionVariables('k8s.io/component-base/version', versions.kubernetes),
  },
  {
    module: 'sigs.k8s.io/cluster-api-provider-aws/v2',
    version: versions.capa,
    programs: [{ name: 'capa', main: 'sigs.k8s.io/cluster-api-provider-aws/v2' }],
    variables: versionVariables('sigs.k8s.io/cluster-api-provider-aws/v2/version', versions.capa),
  },
  {
    module: 'sigs.k8s.io/cluster-api',
    version: versions.capi,
    programs: [
      { name: 'capi-core', main: 'sigs.k8s.io/cluster-api' },
      { name: 'clusterctl', main: 'sigs.k8s.io/cluster-api/cmd/clusterctl' },
    ],
    variables: versionVariables('sigs.k8s.io/cluster-api/version', versions.capi),
  },
  {
    module: 'github.com/k3s-io/cluster-api-k3s',
    version: versions.k3sProviders,
    programs: [
      { name: 'k3s-bootstrap', main: 'github.com/k3s-io/cluster-api-k3s/bootstrap' },
      { name: 'k3s-control-plane', main: 'github.com/k3s-io/cluster-api-k3s/controlplane' },
    ],
  },
  {
    module: 'github.com/cert-manager/cert-manager',
    version: versions.certManager,
    along: [
      { module: 'github.com/k3s-io/helm-controller', version: versions.helmController },
      { module: 'helm.sh/helm/v3', version: versions.helm },
    ],
    programs: [
      { name: 'cert-manager', main: `${certManagerOwn}/cert-manager` },
      { name: 'helm-template', main: `${certManagerOwn}/helm-template`, version: versions.helm },
      {
        name: 'helm-controller',
        main: 'github.com/k3s-io/helm-controller',
        version: versions.helmController,
      },
    ],
    variables: {
      'github.com/cert-manager/cert-manager/pkg/util.AppVersion': versions.certManager,
      'github.com/k3s-io/helm-controller/pkg/version.Version': versions.helmController,
    },
    own: { folders: ['cert-manager', 'helm-template'], module: certManagerOwn },
  },
  {
    module: 'go.etcd.io/etcd/server/v3',
    version: versions.etcd,
    programs: [{ name: 'etcd', main: 'go.etcd.io/etcd/server/v3' }],
  },
];

/** Kubernetes and the projects around it have the same package with their version. */
function versionVariables(versionPackage: string, version: string): Readonly<Record<string, string>> {
  const [, major = '', minor = ''] = /^v(\d+)\.(\d+)/.exec(version) ?? [];
  const values = { gitVersion: version, gitMajor: major, gitMinor: minor, gitTreeState: 'clean' };
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [`${versionPackage}.${name}`, value]),
  );
}

/** The arguments of `go build` that say how, but for where to and what. */
export function buildFlags({ variables = {} }: GoBuild): readonly string[] {
  const set = Object.entries(variables).map(([name, value]) => `-X ${name}=${value}`);
  return [
    '-trimpath',
    '-buildvcs=false',
    // Nobody debugs these programs. Without its information, and without functions put into their callers but for
    // those of Go's own library, they are made in three quarters of the time.
    '-gcflags=all=-dwarf=false -l',
    '-gcflags=std=-dwarf=false',
    '-ldflags',
    ['-s', '-w', ...set].join(' '),
  ];
}

/** All that are pinned in a build, its own first. */
export function modulesOf(build: GoBuild): readonly PinnedModule[] {
  return [build, ...(build.along ?? [])];
}

/** What `go build -o FOLDER/` calls the program of a main package (`go help build`). */
export function executableName(mainPackage: string): string {
  const parts = mainPackage.split('/');
  const last = parts.at(-1) ?? '';
  return (/^v\d+$/.test(last) ? parts.at(-2) : last) ?? last;
}

/** The folder of a binary in the cache: another one when anything changes that the binary is made of. */
export function binaryFolder(
  build: GoBuild,
  { name, main, version = build.version }: Program,
  ingredients: { readonly platform: string; readonly sources: readonly string[] },
): string {
  // Not Go's version: a newer Go makes a program that behaves the same.
  const modules = modulesOf(build).map((one) => [one.module, one.version]);
  const made = [modules, main, buildFlags(build), ingredients];
  const hash = createHash('sha256').update(JSON.stringify(made)).digest('hex').slice(0, 12);
  return `${name}-${version}-${hash}`;
}

/** What `go mod edit -json` says of a module, as far as it is needed here. */
export interface GoMod {
  readonly Go?: string;
  readonly Godebug?: readonly { readonly Key: string; readonly Value: string }[] | null;
  readonly Require?: readonly GoRequirement[] | null;
  readonly Replace?: readonly { readonly Old: GoModule; readonly New: GoModule }[] | null;
}

interface GoModule {
  readonly Path: string;
  readonly Version?: string;
}

interface GoRequirement extends GoModule {
  readonly Version: string;
}

/**
 * The go.mod of the module in which a pinned one is built: only the main module's replacements count in Go, so it
 * repeats them. Those with a path lead to folders of the project's repository. Kubernetes has its libraries there, and
 * publishes them as v0.X.Y for its own v1.X.Y; the libraries of others are required at their published version.
 */
export function wrapperGoMod(build: GoBuild, goMod: GoMod): string {
  const replaced = (goMod.Replace ?? []).filter((replacement) => replacement.New.Version !== undefined);
  const unpublished = (goMod.Require ?? []).filter(({ Version }) => Version === 'v0.0.0');
  const replacements = [
    ...replaced.map((replacement) => `${written(replacement.Old)} => ${written(replacement.New)}`),
    ...unpublished.map(({ Path }) => `${Path} => ${Path} ${build.version.replace(/^v1\./, 'v0.')}`),
  ];
  return [
    `module ${build.own?.module ?? 'petra.invalid/conformance'}`,
    `go ${goMod.Go ?? '1.21'}`,
    ...(goMod.Godebug ?? []).map(({ Key, Value }) => `godebug ${Key}=${Value}`),
    ...modulesOf(build).map(({ module, version }) => `require ${module} ${version}`),
    ...replacements.map((replacement) => `replace ${replacement}`),
    '',
  ].join('\n');
}

function written({ Path, Version }: GoModule): string {
  return Version ? `${Path} ${Version}` : Path;
}
