// What happens on the machines themselves: cloud-init installs k3s, the first server starts a cluster, the others
// join it, their Nodes register. No controller of Cluster API has a part in this, so it needs no manager.
// Simulated: a Node that stays NotReady without a network plug-in, or without provider id when a cloud controller
// manager is expected and none is deployed: what a wrong ClusterClass leads to on AWS.

import { listAt, recordAt, textAt } from '../../core/json-fields.ts';
import type { KubernetesObject } from '../../core/ports.ts';
import type { Controller } from './controller.ts';
import {
  agentBootSeconds,
  firstServerBootSeconds,
  nodeReadySeconds,
  serverBootSeconds,
} from './durations.ts';
import { remaining, timeOf } from './elapsed.ts';
import type { Environment } from './environment.ts';
import { readK3sSetup } from './k3s-config.ts';
import { isDeleting, kinds } from './kinds.ts';
import { clusterOf, isControlPlaneMachine, ownerOf, referenced } from './lookups.ts';
import { addNode } from './nodes.ts';
import type { Again } from './work-queue.ts';
import { bringsCloudController, bringsNetwork, installAddons } from './workload-addons.ts';

export function machineBootController(environment: Environment): Controller {
  const { store } = environment;
  return {
    name: 'machine-boot',
    kind: kinds.awsMachine,
    async reconcile(awsMachine) {
      const machine = ownerOf(store, awsMachine, kinds.machine);
      const cluster = clusterOf(store, awsMachine);
      if (timeOf(awsMachine, 'running') === undefined || !machine || !cluster) return undefined;
      if (isDeleting(awsMachine) || isDeleting(machine)) return undefined;
      return boot(environment, awsMachine, machine, cluster);
    },
  };
}

async function boot(
  { store, pace, workloads }: Environment,
  awsMachine: KubernetesObject,
  machine: KubernetesObject,
  cluster: KubernetesObject,
): Promise<Again> {
  const controlPlane = referenced(store, cluster, 'spec', 'controlPlaneRef');
  const isServer = isControlPlaneMachine(machine);
  const isFirst = isServer && recordAt(controlPlane, 'status').initialized !== true;
  const seconds = isFirst ? firstServerBootSeconds : isServer ? serverBootSeconds : agentBootSeconds;
  const wait = remaining(awsMachine, 'running', seconds, pace);
  if (wait > 0) return wait;
  const name = addressOf(awsMachine, 'InternalDNS');
  const address = addressOf(awsMachine, 'InternalIP');
  // Its addresses are written after the time from which it runs, and wake this controller again.
  if (name === undefined || address === undefined) return undefined;

  const version = textAt(machine, 'spec', 'version') ?? '';
  const workload = await workloads.open(cluster, version);
  const setup = readK3sSetup(recordAt(controlPlane, 'spec', 'kthreesConfigSpec'));
  if (isFirst) await installAddons(workload.store, setup);
  const hasNetwork = bringsNetwork(setup);
  const hasProviderId = bringsCloudController(setup);
  const settled = remaining(awsMachine, 'running', seconds + nodeReadySeconds, pace);
  const providerId = textAt(awsMachine, 'spec', 'providerID') ?? '';
  await addNode(workload.store, {
    name,
    role: isServer ? 'server' : 'agent',
    address,
    version,
    instanceType: textAt(awsMachine, 'spec', 'instanceType') ?? '',
    zone: providerId.split('/').at(-2) ?? '',
    ...(hasProviderId && settled === 0 ? { providerId } : {}),
    ...(hasNetwork && settled === 0
      ? {}
      : {
          notReady:
            'container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady message:Network plugin returns error: cni plugin not initialized',
        }),
  });
  return settled > 0 ? settled : undefined;
}

function addressOf(awsMachine: KubernetesObject, type: string): string | undefined {
  return textAt(
    listAt(awsMachine, 'status', 'addresses').find((address) => textAt(address, 'type') === type),
    'address',
  );
}
