// Addresses inside a cluster. k3s has the same defaults; they are written out because the k3s providers do not
// carry `Cluster.spec.clusterNetwork` over to k3s, and cilium must be told them too: all three must agree.

export const podCidr = '10.42.0.0/16';
export const serviceCidr = '10.43.0.0/16';
export const serviceDomain = 'cluster.local';
