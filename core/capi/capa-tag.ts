/** The tag CAPA puts on everything it makes for a cluster. CAPA knows a cluster by its name only. */
export function capaTag(cluster: string): { readonly key: string; readonly value: string } {
  return { key: `sigs.k8s.io/cluster-api-provider-aws/cluster/${cluster}`, value: 'owned' };
}
