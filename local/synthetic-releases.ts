// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables of the manifests
// Releases for a local Petra: its own small manifests, made when asked for, of the components it installs. Nothing is
// downloaded and nothing of other projects is copied: only names that are their API are the same (groups, kinds,
// versions, columns, labels, namespaces, Deployments, variables). The images do not exist; simulated controllers stand
// behind them. Any well-formed version is served, released upstream or not; preflight warns of the latter.

import { yamlText } from '../core/capi/yaml-text.ts';
import { PetraError } from '../core/errors.ts';
import type { KubernetesObject, ReleaseAsset, Releases } from '../core/ports.ts';
import { certManagerManifest } from './synthetic-releases/cert-manager.ts';
import { type Line, storesV1beta2 } from './synthetic-releases/core-definitions.ts';
import { providerManifest, type SyntheticProvider } from './synthetic-releases/provider.ts';
import {
  syntheticAws,
  syntheticCore,
  syntheticK3sBootstrap,
  syntheticK3sControlPlane,
} from './synthetic-releases/providers.ts';

/** On every object of the synthetic releases. */
export const syntheticAnnotation = 'petra.sh/synthetic';

/** How far back a synthetic metadata.yaml lists release series. */
const listedSeries = 10;

/** The synthetic repository. */
export class SyntheticReleases implements Releases {
  readonly kind = 'synthetic';
  readonly #faults: { take(service: 'releases'): string | undefined } | undefined;

  /** `faults` makes calls fail, to see what Petra does about it. */
  constructor(options: { readonly faults?: { take(service: 'releases'): string | undefined } } = {}) {
    this.#faults = options.faults;
  }

  /** @throws ReleaseNotFound for another repository or file, or a version that is not `vX.Y.Z` (k3s: `vX.Y.Z+k3sN`); ReleaseUnreachable by fault */
  async fetch(asset: ReleaseAsset): Promise<string> {
    const fault = this.#faults?.take('releases');
    if (fault !== undefined) {
      throw new PetraError('ReleaseUnreachable', `the synthetic repository was asked to fail: ${fault}`);
    }
    const text = render(asset);
    if (text !== undefined) return text;
    const { repository, version, file } = asset;
    throw new PetraError(
      'ReleaseNotFound',
      `the synthetic repository has no ${file} of ${repository} ${version}`,
    );
  }
}

function render({ repository, version, file }: ReleaseAsset): string | undefined {
  if (repository === 'k3s-io/k3s') return k3sSums(version, file);
  const line = lineOf(version);
  if (line === undefined) return undefined;
  switch (`${repository}/${file}`) {
    case 'kubernetes-sigs/cluster-api/core-components.yaml':
      return provider(syntheticCore(line), version);
    case 'kubernetes-sigs/cluster-api/metadata.yaml':
      return metadata(line, coreContract);
    case 'k3s-io/cluster-api-k3s/bootstrap-components.yaml':
      return provider(syntheticK3sBootstrap, version);
    case 'k3s-io/cluster-api-k3s/control-plane-components.yaml':
      return provider(syntheticK3sControlPlane, version);
    case 'k3s-io/cluster-api-k3s/metadata.yaml':
      return metadata(line, providerContract);
    case 'kubernetes-sigs/cluster-api-provider-aws/infrastructure-components.yaml':
      return provider(syntheticAws, version);
    case 'kubernetes-sigs/cluster-api-provider-aws/metadata.yaml':
      return metadata(line, providerContract);
    case 'cert-manager/cert-manager/cert-manager.yaml':
      return toYaml(`cert-manager ${version}`, certManagerManifest(version));
    default:
      return undefined;
  }
}

/** The sums of a release of k3s, of nothing: no simulated node downloads it. */
function k3sSums(version: string, file: string): string | undefined {
  if (!/^v\d+\.\d+\.\d+\+k3s\d+$/.test(version)) return undefined;
  const binary = { 'sha256sum-amd64.txt': 'k3s', 'sha256sum-arm64.txt': 'k3s-arm64' }[file];
  return binary === undefined ? undefined : `${'0'.repeat(64)}  ${binary}\n`;
}

function lineOf(version: string): Line | undefined {
  const [, major, minor] = /^v(0|[1-9]\d{0,5})\.(0|[1-9]\d{0,5})\.(0|[1-9]\d{0,5})$/.exec(version) ?? [];
  return major === undefined ? undefined : { major: Number(major), minor: Number(minor) };
}

function provider(synthetic: SyntheticProvider, version: string): string {
  const objects = toYaml(`${synthetic.key} ${version}`, providerManifest(synthetic, version));
  return `${objects}---\n${serviceAccount(synthetic)}`;
}

/** As text, because CAPA's has a variable where a key is expected. */
function serviceAccount({ key, namespace, serviceAccount }: SyntheticProvider): string {
  const role = '    ${AWS_CONTROLLER_IAM_ROLE/#arn/eks.amazonaws.com/role-arn: arn}\n';
  return [
    'apiVersion: v1\nkind: ServiceAccount\nmetadata:\n',
    `  name: ${serviceAccount}\n  namespace: ${namespace}\n`,
    `  annotations:\n    ${syntheticAnnotation}: "true"\n`,
    key === 'infrastructure-aws' ? role : '',
  ].join('');
}

function metadata({ major, minor }: Line, contract: (line: Line) => string): string {
  const oldest = Math.max(0, minor - listedSeries + 1);
  const lines = Array.from({ length: minor - oldest + 1 }, (_, index) => ({ major, minor: oldest + index }));
  return yamlText({
    apiVersion: 'clusterctl.cluster.x-k8s.io/v1alpha3',
    kind: 'Metadata',
    releaseSeries: lines.map((line) => ({ ...line, contract: contract(line) })),
  });
}

// Upstream, the contract changed with Cluster API 1.11; no release of CAPA or the k3s providers has followed yet.
function coreContract(line: Line): string {
  return storesV1beta2(line) ? 'v1beta2' : 'v1beta1';
}

function providerContract(): string {
  return 'v1beta1';
}

function toYaml(title: string, objects: readonly KubernetesObject[]): string {
  const documents = objects.map((object) => {
    const annotations = { ...object.metadata.annotations, [syntheticAnnotation]: 'true' };
    return yamlText({ ...object, metadata: { ...object.metadata, annotations } });
  });
  return `# Synthetic manifest of a local Petra, standing in for ${title}. Not a release of that project.\n${documents.join('---\n')}`;
}
