import { yamlText } from './yaml-text.ts';

/** A file that cloud-init writes on a node before k3s starts. The shape of both cloud-init's and the k3s providers' lists. */
export interface NodeFile {
  readonly path: string;
  readonly owner: 'root:root';
  readonly permissions: string;
  readonly content: string;
}

/** Keys of a k3s configuration file. k3s skips a key it does not know with a log line only: tests check every name. */
export type K3sConfig = Readonly<Record<string, string | boolean | readonly string[]>>;

/** A k3s drop-in: read after `config.yaml`, in name order; a later key replaces an earlier one. */
export function k3sDropIn(name: string, config: K3sConfig): NodeFile {
  return {
    path: `/etc/rancher/k3s/config.yaml.d/${name}.yaml`,
    owner: 'root:root',
    permissions: '0600',
    content: yamlText(config),
  };
}

/** What k3s must leave out when cilium is the CNI; agents learn it from their servers. */
export const withoutFlannel: K3sConfig = {
  'flannel-backend': 'none',
  'disable-network-policy': true,
  'disable-kube-proxy': true,
};

/** k3s' packaged components that Petra's clusters do without: load balancers and ingress are the platform's business. */
export const disabledComponents: readonly string[] = ['servicelb', 'traefik'];
