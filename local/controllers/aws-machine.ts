// CAPA's AWSMachine controller: an EC2 instance for each Machine, in simulated time.
// Simulated: what it waits for, instance states, provider ids, addresses, a lack of capacity, termination.
// Not simulated: images, volumes, user data, spot instances, an instance that ends by itself.

import { isTrueAt, recordAt, textAt } from '../../core/json-fields.ts';
import type { KubernetesObject } from '../../core/ports.ts';
import { networkOf, ownedTags, privateAddress, subnetFor } from './aws-network.ts';
import { condition, summary } from './conditions.ts';
import type { Controller } from './controller.ts';
import { instanceStartSeconds, instanceStopSeconds, pollSeconds } from './durations.ts';
import { noteTime, remaining, timeOf } from './elapsed.ts';
import type { Environment } from './environment.ts';
import { finalizers, isDeleting, kinds } from './kinds.ts';
import { clusterOf, isControlPlaneMachine, ownerOf, referenced, wakesMembers } from './lookups.ts';
import { managers } from './managers.ts';
import { awsId } from './naming.ts';
import type { Again } from './work-queue.ts';
import { addFinalizer, changeObject, dropFinalizer, setConditions } from './writes.ts';

export function awsMachineController(environment: Environment): Controller {
  const { store } = environment;
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
      if (isDeleting(awsMachine)) return terminate(environment, awsMachine, awsCluster);
      const machine = ownerOf(store, awsMachine, kinds.machine);
      if (!machine || !cluster || !awsCluster) return undefined;
      const finalized = await addFinalizer(store, awsMachine, finalizers.awsMachine);
      if (timeOf(finalized, 'launched') !== undefined)
        return run(environment, finalized, machine, awsCluster);
      if (!isTrueAt(cluster, 'status', 'infrastructureReady')) {
        return wait(environment, finalized, 'WaitingForClusterInfrastructure');
      }
      if (textAt(machine, 'spec', 'bootstrap', 'dataSecretName') === undefined) {
        return wait(environment, finalized, 'WaitingForBootstrapData');
      }
      return launch(environment, finalized, machine, awsCluster);
    },
  };
}

async function wait({ store }: Environment, awsMachine: KubernetesObject, reason: string): Promise<Again> {
  const conditions = [condition('InstanceReady', false, { reason })];
  await setConditions(store, awsMachine, [...conditions, summary(conditions)], { ready: false });
  return undefined;
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
    const conditions = [
      condition('InstanceReady', false, {
        reason: 'InstanceProvisionFailed',
        severity: 'Error',
        message: `failed to create AWSMachine instance: failed to run instance: InsufficientInstanceCapacity: We currently do not have sufficient ${instanceType} capacity in the Availability Zone you requested (${zone}).`,
      }),
    ];
    await setConditions(store, awsMachine, [...conditions, summary(conditions)], { ready: false });
    return pace.milliseconds(pollSeconds);
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
  { store, pace }: Environment,
  awsMachine: KubernetesObject,
  machine: KubernetesObject,
  awsCluster: KubernetesObject,
): Promise<Again> {
  const delay = remaining(awsMachine, 'launched', instanceStartSeconds, pace);
  if (delay > 0) {
    const conditions = [
      condition('InstanceReady', false, { reason: 'InstanceNotReady', severity: 'Warning' }),
    ];
    await setConditions(store, awsMachine, [...conditions, summary(conditions)], {
      ready: false,
      instanceState: 'pending',
    });
    return delay;
  }
  const address = privateAddress(awsMachine.metadata.uid ?? '');
  const region = textAt(awsCluster, 'spec', 'region') ?? '';
  const hostname = hostnameFor(address, region);
  const noted = await noteTime(store, awsMachine, 'running');
  const conditions = [
    condition('InstanceReady', true),
    condition('SecurityGroupsReady', true),
    ...(isControlPlaneMachine(machine) ? [condition('ELBAttached', true)] : []),
  ];
  await setConditions(store, noted, [...conditions, summary(conditions)], {
    ready: true,
    instanceState: 'running',
    addresses: [
      { type: 'InternalIP', address },
      { type: 'InternalDNS', address: hostname },
      { type: 'Hostname', address: hostname },
    ],
  });
  return undefined;
}

/** EC2's private DNS name: in its oldest region it lacks the region's name. */
function hostnameFor(address: string, region: string): string {
  const domain = region === 'us-east-1' ? 'ec2.internal' : `${region}.compute.internal`;
  return `ip-${address.replaceAll('.', '-')}.${domain}`;
}

async function terminate(
  { store, pace, cloud, cluster }: Environment,
  awsMachine: KubernetesObject,
  awsCluster: KubernetesObject | undefined,
): Promise<Again> {
  if (!awsMachine.metadata.finalizers?.includes(finalizers.awsMachine)) return undefined;
  const noted = await noteTime(store, awsMachine, 'deleting');
  // An instance may have been launched right before the process was killed, without a note of it.
  const delay = textAt(noted, 'spec', 'instanceID')
    ? remaining(noted, 'deleting', instanceStopSeconds, pace)
    : 0;
  if (delay > 0) {
    const conditions = [condition('InstanceReady', false, { reason: 'Deleting' })];
    await setConditions(store, noted, [...conditions, summary(conditions)], {
      ready: false,
      instanceState: 'shutting-down',
    });
    return delay;
  }
  const region = textAt(awsCluster, 'spec', 'region') ?? cluster.region;
  await cloud.remove(region, instanceIdOf(noted));
  await dropFinalizer(store, noted, finalizers.awsMachine);
  return undefined;
}

function instanceIdOf(awsMachine: KubernetesObject): string {
  return awsId('i', awsMachine.metadata.uid ?? awsMachine.metadata.name);
}
