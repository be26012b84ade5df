// CAPA's AWSMachine controller: an EC2 instance for each Machine, in simulated time.
// Simulated: what it waits for, instance states, provider ids, addresses, a lack of capacity, termination.
// Not simulated: images, volumes, user data, spot instances, an instance that ends by itself.

import { isTrueAt, recordAt, textAt } from '../../core/json-fields.ts';
import type { KubernetesObject } from '../../core/ports.ts';
import { networkOf, ownedTags, privateAddress, subnetFor } from './aws-network.ts';
import { type Condition, condition, conditionsAfter, presentCondition, summary } from './conditions.ts';
import type { Controller } from './controller.ts';
import { instanceStartSeconds, instanceStopSeconds, pollSeconds, syncSeconds } from './durations.ts';
import { noteTime, remaining, timeOf } from './elapsed.ts';
import type { Environment } from './environment.ts';
import { finalizers, isDeleting, kinds } from './kinds.ts';
import { clusterOf, isControlPlaneMachine, ownerOf, referenced, wakesMembers } from './lookups.ts';
import { managers } from './managers.ts';
import { awsId } from './naming.ts';
import type { Again } from './work-queue.ts';
import { addFinalizer, changeObject, dropFinalizer, setConditions } from './writes.ts';

export function awsMachineController(environment: Environment): Controller {
  const { store, pace } = environment;
  return {
    name: 'awsmachine',
    kind: kinds.awsMachine,
    manager: managers.aws,
    wakes: [
      wakesMembers(store, kinds.awsCluster, kinds.awsMachine),
      {
        kind: kinds.machine,
        wakes: (machine) => {
          const name = textAt(machine, 'spec', 'infrastructureRef', 'name');
          return name === undefined ? [] : [{ name, namespace: machine.metadata.namespace }];
        },
      },
    ],
    async reconcile(awsMachine) {
      const cluster = clusterOf(store, awsMachine);
      const awsCluster = referenced(store, cluster, 'spec', 'infrastructureRef');
      // It does nothing without the network that the Cluster refers to, and notices only by looking again.
      if (!awsCluster) return pace.milliseconds(syncSeconds);
      if (isDeleting(awsMachine)) return terminate(environment, awsMachine, awsCluster);
      const machine = ownerOf(store, awsMachine, kinds.machine);
      if (!machine || !cluster) return undefined;
      if (timeOf(awsMachine, 'launched') !== undefined)
        return run(environment, awsMachine, machine, awsCluster);
      if (!isTrueAt(cluster, 'status', 'infrastructureReady')) {
        return wait(environment, awsMachine, machine, 'WaitingForClusterInfrastructure');
      }
      if (textAt(machine, 'spec', 'bootstrap', 'dataSecretName') === undefined) {
        return wait(environment, awsMachine, machine, 'WaitingForBootstrapData');
      }
      const finalized = await addFinalizer(store, awsMachine, finalizers.awsMachine);
      return launch(environment, finalized, machine, awsCluster);
    },
  };
}

async function wait(
  environment: Environment,
  awsMachine: KubernetesObject,
  machine: KubernetesObject,
  reason: string,
): Promise<Again> {
  await setInstanceStatus(environment, awsMachine, machine, [condition('InstanceReady', false, { reason })]);
  return undefined;
}

/** Its Ready tells how many of its conditions are true, and never what is wrong: that is for the condition itself. */
async function setInstanceStatus(
  { store }: Environment,
  awsMachine: KubernetesObject,
  machine: KubernetesObject | undefined,
  changes: readonly Condition[],
  fields: Readonly<Record<string, unknown>> = {},
): Promise<KubernetesObject> {
  const isServer = machine ? isControlPlaneMachine(machine) : isControlPlaneMachine(awsMachine);
  const types = ['InstanceReady', 'SecurityGroupsReady', ...(isServer ? ['ELBAttached'] : [])];
  const conditions = conditionsAfter(awsMachine, changes, types);
  return setConditions(store, awsMachine, [...conditions, summary(conditions, types.length)], fields);
}

async function launch(
  environment: Environment,
  awsMachine: KubernetesObject,
  machine: KubernetesObject,
  awsCluster: KubernetesObject,
): Promise<Again> {
  const { store, cluster, cloud, faults, pace } = environment;
  const network = networkOf(awsCluster, cluster.region);
  const subnet = subnetFor(network, textAt(machine, 'spec', 'failureDomain'));
  const zone = subnet?.zone ?? '';
  const instanceType = textAt(awsMachine, 'spec', 'instanceType') ?? '';
  if (faults.active('machine:capacity') !== undefined) {
    const failed = condition('InstanceReady', false, {
      reason: 'InstanceProvisionFailed',
      severity: 'Error',
      message: `failed to create AWSMachine instance: failed to run instance: InsufficientInstanceCapacity: We currently do not have sufficient ${instanceType} capacity in the Availability Zone you requested (${zone}).`,
    });
    await setInstanceStatus(environment, awsMachine, machine, [failed]);
    return pace.milliseconds(pollSeconds);
  }
  if (presentCondition(awsMachine, 'InstanceReady')?.reason !== 'InstanceProvisionFailed') {
    const started = condition('InstanceReady', false, { reason: 'InstanceProvisionStarted' });
    await setInstanceStatus(environment, awsMachine, machine, [started]);
  }
  const id = instanceIdOf(awsMachine);
  const role = isControlPlaneMachine(machine) ? 'control-plane' : 'node';
  await cloud.add(network.region, 'ec2:instance', id, {
    ...ownedTags(awsCluster, awsMachine.metadata.name, role),
    MachineName: `${machine.metadata.namespace}/${machine.metadata.name}`,
  });
  const described = await changeObject(store, awsMachine, (present) => ({
    ...present,
    spec: { ...recordAt(present, 'spec'), instanceID: id, providerID: `aws:///${zone}/${id}` },
  }));
  await noteTime(store, described, 'launched');
  return undefined;
}

async function run(
  environment: Environment,
  awsMachine: KubernetesObject,
  machine: KubernetesObject,
  awsCluster: KubernetesObject,
): Promise<Again> {
  const { store, pace } = environment;
  const delay = remaining(awsMachine, 'launched', instanceStartSeconds, pace);
  // It is seen as pending once, however late this controller looks.
  const isRunning = delay === 0 && textAt(awsMachine, 'status', 'instanceState') !== undefined;
  const noted = isRunning ? await noteTime(store, awsMachine, 'running') : awsMachine;
  const address = privateAddress(awsMachine.metadata.uid ?? '');
  const hostname = hostnameFor(address, textAt(awsCluster, 'spec', 'region') ?? '');
  const conditions = [
    condition('InstanceReady', isRunning, { reason: 'InstanceNotReady', severity: 'Warning' }),
    condition('SecurityGroupsReady', true),
    ...(isControlPlaneMachine(machine)
      ? [condition('ELBAttached', isRunning, { reason: 'ELBAttachFailed', message: 'instance not running' })]
      : []),
  ];
  await setInstanceStatus(environment, noted, machine, conditions, {
    ready: isRunning,
    instanceState: isRunning ? 'running' : 'pending',
    addresses: [
      { type: 'InternalIP', address },
      { type: 'InternalDNS', address: hostname },
      { type: 'Hostname', address: hostname },
    ],
  });
  return delay > 0 ? delay : undefined;
}

/** EC2's private DNS name: in its oldest region it lacks the region's name. */
function hostnameFor(address: string, region: string): string {
  const domain = region === 'us-east-1' ? 'ec2.internal' : `${region}.compute.internal`;
  return `ip-${address.replaceAll('.', '-')}.${domain}`;
}

async function terminate(
  environment: Environment,
  awsMachine: KubernetesObject,
  awsCluster: KubernetesObject,
): Promise<Again> {
  if (!awsMachine.metadata.finalizers?.includes(finalizers.awsMachine)) return undefined;
  const { store, pace, cloud, cluster } = environment;
  const noted = await noteTime(store, awsMachine, 'deleting');
  // An instance may have been launched right before the process was killed, without a note of it.
  const isLaunched = textAt(noted, 'spec', 'instanceID') !== undefined;
  const delay = isLaunched ? remaining(noted, 'deleting', instanceStopSeconds, pace) : 0;
  const isTaken = presentCondition(noted, 'InstanceReady')?.reason === 'Deleted';
  if (delay > 0 || (isLaunched && !isTaken)) {
    const detached = isControlPlaneMachine(noted)
      ? [condition('ELBAttached', false, { reason: 'Deleted' })]
      : [];
    // First what is about to be done, then that EC2 took it; the fields of its status stay as they were.
    for (const reason of isTaken ? [] : ['Deleting', 'Deleted']) {
      const conditions = [condition('InstanceReady', false, { reason }), ...detached];
      await setInstanceStatus(environment, noted, undefined, conditions);
    }
    // What was told wakes this controller again.
    return delay > 0 ? delay : undefined;
  }
  const region = textAt(awsCluster, 'spec', 'region') ?? cluster.region;
  await cloud.remove(region, instanceIdOf(noted));
  await dropFinalizer(store, noted, finalizers.awsMachine);
  return undefined;
}

function instanceIdOf(awsMachine: KubernetesObject): string {
  return awsId('i', awsMachine.metadata.uid ?? awsMachine.metadata.name);
}
