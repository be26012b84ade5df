// What is known of the release lines of everything Petra installs. Sources: the projects' change logs, metadata.yaml,
// go.mod and docs/book/src/reference/versions.md (Cluster API v1.9.5, v1.11.3, v1.14.2), cert-manager's
// make/kind_images.sh, and release pages. The repository in use decides whether a release exists; this explains.

import type { ComponentKey } from './providers.ts';

/** When this table was last compared with its sources. */
export const linesKnownAt = '2026-11-23';

export interface ReleaseLine {
  /** `major.minor`. */
  readonly line: string;
  /** Patch numbers known to be released. */
  readonly patches: readonly number[];
  /**
   * `ended`: no others exist or will. `growing`: none are missing up to the last. `partial`: some may be missing.
   */
  readonly coverage: 'ended' | 'growing' | 'partial';
  /** The Cluster API contract; cert-manager has none. */
  readonly contract?: 'v1beta1' | 'v1beta2';
  /** The day after which it gets no fixes; absent when supported, or when the project does not say. */
  readonly endOfLife?: string;
  /** Kubernetes versions it is tested with, as the cluster it runs on. */
  readonly kubernetes?: {
    readonly from: string;
    readonly to: string;
    /** The first patch that is tested with a Kubernetes version added late. */
    readonly since?: Readonly<Record<string, number>>;
  };
  /** The line of Cluster API whose types it is built with. */
  readonly builtFor?: string;
  /** Images of single patches that can no longer be pulled. */
  readonly goneImages?: Readonly<Record<number, string>>;
}

function upTo(last: number, first = 0): readonly number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}

const clusterApi: readonly ReleaseLine[] = [
  {
    line: '1.8',
    patches: upTo(12),
    coverage: 'ended',
    contract: 'v1beta1',
    endOfLife: '2025-08-12',
    kubernetes: { from: '1.27', to: '1.31', since: { '1.31': 1 } },
  },
  {
    line: '1.9',
    patches: upTo(11),
    coverage: 'ended',
    contract: 'v1beta1',
    endOfLife: '2025-12-18',
    kubernetes: { from: '1.28', to: '1.32', since: { '1.32': 1 } },
  },
  {
    line: '1.10',
    patches: upTo(10),
    coverage: 'ended',
    contract: 'v1beta1',
    endOfLife: '2026-04-21',
    kubernetes: { from: '1.29', to: '1.33', since: { '1.33': 1 } },
  },
  {
    line: '1.11',
    patches: upTo(11),
    coverage: 'ended',
    contract: 'v1beta2',
    endOfLife: '2026-08-18',
    kubernetes: { from: '1.30', to: '1.34', since: { '1.34': 1 } },
  },
  {
    // In maintenance; ends with v1.15.0, which is planned for 2026-12-08.
    line: '1.12',
    patches: upTo(11),
    coverage: 'growing',
    contract: 'v1beta2',
    kubernetes: { from: '1.31', to: '1.36', since: { '1.35': 1, '1.36': 8 } },
  },
  {
    line: '1.13',
    patches: upTo(6),
    coverage: 'growing',
    contract: 'v1beta2',
    kubernetes: { from: '1.32', to: '1.37', since: { '1.36': 1, '1.37': 6 } },
  },
  {
    line: '1.14',
    patches: upTo(2),
    coverage: 'growing',
    contract: 'v1beta2',
    kubernetes: { from: '1.33', to: '1.37', since: { '1.37': 1 } },
  },
];

const k3sProviders: readonly ReleaseLine[] = [
  { line: '0.2', patches: [0, 1], coverage: 'partial', contract: 'v1beta1' },
  {
    line: '0.3',
    patches: upTo(1),
    coverage: 'ended',
    contract: 'v1beta1',
    builtFor: '1.10',
    // v0.3.1 changes nothing but this image (to quay.io/brancz/kube-rbac-proxy).
    goneImages: { 0: 'gcr.io/kubebuilder/kube-rbac-proxy:v0.16.0' },
  },
  { line: '0.4', patches: [0], coverage: 'growing', contract: 'v1beta1', builtFor: '1.11' },
];

const aws: readonly ReleaseLine[] = [
  { line: '2.7', patches: upTo(2), coverage: 'ended', contract: 'v1beta1', builtFor: '1.8' },
  { line: '2.8', patches: upTo(4, 1), coverage: 'ended', contract: 'v1beta1', builtFor: '1.9' },
  { line: '2.9', patches: upTo(3), coverage: 'ended', contract: 'v1beta1', builtFor: '1.10' },
  { line: '2.10', patches: upTo(3), coverage: 'ended', contract: 'v1beta1', builtFor: '1.11' },
  { line: '2.11', patches: upTo(1), coverage: 'growing', contract: 'v1beta1', builtFor: '1.11' },
  // The release page calls v2.12.1 the latest. A tag v2.13.0 exists, but no release of it has been seen.
  { line: '2.12', patches: [1], coverage: 'partial', contract: 'v1beta1', builtFor: '1.12' },
];

const certManager: readonly ReleaseLine[] = [
  {
    line: '1.17',
    patches: upTo(4),
    coverage: 'partial',
    // cert-manager supports its two latest lines; these are the days on which the second next one came out.
    endOfLife: '2025-10-07',
    kubernetes: { from: '1.29', to: '1.32' },
  },
  {
    line: '1.18',
    patches: upTo(2),
    coverage: 'partial',
    endOfLife: '2026-03-10',
    kubernetes: { from: '1.29', to: '1.33' },
  },
  {
    line: '1.19',
    patches: upTo(1),
    coverage: 'partial',
    endOfLife: '2026-07-08',
    kubernetes: { from: '1.31', to: '1.34' },
  },
  { line: '1.20', patches: upTo(2), coverage: 'partial', kubernetes: { from: '1.32', to: '1.35' } },
  { line: '1.21', patches: upTo(2), coverage: 'growing', kubernetes: { from: '1.33', to: '1.36' } },
];

/** Oldest line first. Lines that are not here are not known, which says nothing about their existence. */
export const releaseLines: Readonly<Record<ComponentKey, readonly ReleaseLine[]>> = {
  'cluster-api': clusterApi,
  'bootstrap-k3s': k3sProviders,
  'control-plane-k3s': k3sProviders,
  'infrastructure-aws': aws,
  'cert-manager': certManager,
};
