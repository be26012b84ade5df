// How long things take in the simulation, in simulated seconds. A Pace divides them, so that at the default speed
// a cluster is up within seconds; the proportions are those of a cluster on AWS.

/** From a Pod's creation to its readiness: image pull and start. */
export const podStartSeconds = 8;

/** cert-manager's cainjector and issuers, once their Deployments run. */
export const certificateSeconds = 1;

/** The milestones of an AWSCluster, counted from the moment its controller sees it. NAT gateways take longest. */
export const infrastructureMilestones = {
  vpc: 3,
  subnets: 6,
  internetGateway: 8,
  natGateways: 40,
  routeTables: 43,
  securityGroups: 47,
  loadBalancer: 60,
} as const;

/** From RunInstances to `running`. */
export const instanceStartSeconds = 20;

/** From `running` to a registered Node, for the first server: it also initialises etcd and its certificates. */
export const firstServerBootSeconds = 55;

/** From `running` to a registered Node, for further servers, which join an etcd cluster. */
export const serverBootSeconds = 30;

/** From `running` to a registered Node, for agents. */
export const agentBootSeconds = 20;

/** From a Node's registration to Ready: the network plug-in and the cloud controller manager start. */
export const nodeReadySeconds = 10;

/** From TerminateInstances to `terminated`. */
export const instanceStopSeconds = 15;

/** The milestones of an AWSCluster's removal. */
export const infrastructureRemovalMilestones = {
  loadBalancer: 10,
  securityGroups: 15,
  routeTables: 16,
  natGateways: 38,
  network: 45,
} as const;

/** How long a controller waits before it looks again at something that no event will announce. */
export const pollSeconds = 15;

/** After which CAPA looks at each object again, whether or not something changed (`--sync-period`). */
export const syncSeconds = 600;
