/** Where the servers of a management cluster find the token with which nodes join. */
export function joinTokenSecretName(uid: string): string {
  return `petra/${uid}/join-token`;
}

/** Where a cluster's kubeconfig is kept: written by the first server of a management cluster, by Petra for the others. */
export function kubeconfigSecretName(uid: string): string {
  return `petra/${uid}/kubeconfig`;
}
