// The machines of init: addresses, secrets and instances of a management cluster, up to Ready nodes. A step asks either EC2
// or Kubernetes, never both: on AWS, what reaches the nodes is in a network that does not reach EC2.

import { hasCode, PetraError } from '../errors.ts';
import { managementNodes, renderManagementUserData } from '../management/k3s-user-data.ts';
import { joinTokenSecretName, kubeconfigSecretName } from '../management/secret-names.ts';
import type { Machine, MachineRole } from '../ports.ts';
import { conditionOf } from './conditions.ts';
import { deadlineAfter, isOver, type StepContext, type StepInput } from './context.ts';
import { madeOnce } from './made.ts';
import { managementApi, requireManagementApi } from './management-api.ts';
import type { StepOutput } from './run-step.ts';

/**
 * Reserves one network interface for each server, so that addresses are known before any machine exists, and what
 * leads from it into the world.
 */
export async function reserveAddresses(context: StepContext<'networks' | 'resources'>): Promise<StepOutput> {
  // From here on the cluster owns things made from its spec.
  await context.fleet.update(context.lease, {
    materialized: true,
    updatedAt: context.clock.now().toISOString(),
  });
  const { name, uid, region } = context.record;
  for (const server of serverNames(context)) {
    const request = { cluster: name, uid, region, name: server };
    const { id: interfaceId } = await madeOnce(context, 'network-interface', server, () =>
      context.networks.reserveInterface(request),
    );
    await madeOnce(context, 'elastic-ip', server, () =>
      context.networks.attachPublicAddress({ ...request, interfaceId }),
    );
  }
  return {};
}

/** Makes the join token, once, and registers the secret into which the first server writes its kubeconfig. */
export async function makeSecrets(
  context: StepContext<'secrets' | 'resources' | 'newToken'>,
): Promise<StepOutput> {
  const { name: cluster, uid } = context.record;
  const token = joinTokenSecretName(uid);
  await madeOnce(context, 'secret', 'join-token', async () => {
    await context.secrets.createOnce({ name: token, cluster, uid, value: context.newToken() });
    return { id: token };
  });
  const kubeconfig = kubeconfigSecretName(uid);
  // Empty until the first server fills it; made by Petra so that the server's role need not create secrets.
  await madeOnce(context, 'secret', 'kubeconfig', async () => {
    await context.secrets.createOnce({ name: kubeconfig, cluster, uid, value: '' });
    return { id: kubeconfig };
  });
  return {};
}

/** Launches every server that does not live yet. */
export async function launchServers(context: StepContext<LaunchPorts>): Promise<StepOutput> {
  await launch(context, 'server');
  return { deadline: deadlineAfter(context, context.settings.limits.api) };
}

/** Launches every agent that does not live yet. */
export async function launchWorkers(context: StepContext<LaunchPorts>): Promise<StepOutput> {
  await launch(context, 'agent');
  return { deadline: deadlineAfter(context, context.settings.limits.nodes) };
}

type LaunchPorts = 'machines' | 'networks' | 'resources';

async function launch(context: StepContext<LaunchPorts>, role: MachineRole): Promise<void> {
  const { name: cluster, uid, region, spec } = context.record;
  const interfaces = new Map(
    (await context.networks.listInterfaces(region, uid)).map((one) => [one.name, one]),
  );
  const serverAddresses = serverNames(context).map((server) => {
    const reserved = interfaces.get(server);
    if (!reserved) throw new PetraError('InternalError', `the network interface of ${server} is missing`);
    return reserved.address;
  });
  const { k3sReleasesUrl } = context.settings;
  const source = {
    name: cluster,
    uid,
    region,
    spec,
    serverAddresses,
    ...(k3sReleasesUrl === undefined ? {} : { k3sBaseUrl: k3sReleasesUrl }),
  };
  const group = role === 'server' ? spec.spec.nodes.controlPlane : spec.spec.nodes.workers;
  for (const node of managementNodes(source)) {
    if (node.role !== role) continue;
    const interfaceId = interfaces.get(node.name)?.id;
    await madeOnce(context, 'instance', node.name, () =>
      context.machines.launch({
        cluster,
        uid,
        region,
        name: node.name,
        role,
        instanceType: group.instanceType,
        userData: renderManagementUserData(node),
        ...(interfaceId === undefined ? {} : { interfaceId }),
      }),
    );
  }
}

/** Whether every server lives, and how far each has come. @throws MachineLost */
export async function checkServers(context: StepContext<'machines'>): Promise<StepOutput> {
  return { message: progressOf(await livingMachines(context, 'server')) };
}

/** Whether the Kubernetes API of the management cluster answers. @throws BootTimedOut */
export async function checkApi(
  context: StepContext<'secrets' | 'kubernetes'>,
  input: StepInput,
): Promise<StepOutput> {
  const refusal = await apiRefusal(context);
  if (refusal === undefined) return { ready: true, message: 'the Kubernetes API answers' };
  if (!isOver(context, input)) return { ready: false, message: `waiting: ${refusal}` };
  throw new PetraError(
    'BootTimedOut',
    `the Kubernetes API of "${context.record.name}" did not answer in time`,
    { evidence: [refusal] },
  );
}

/** Why the API cannot be used yet; undefined when it can. */
async function apiRefusal(context: StepContext<'secrets' | 'kubernetes'>): Promise<string | undefined> {
  try {
    const api = await managementApi(context, context.record.uid);
    if (!api) return 'the first server has not stored a kubeconfig yet';
    const found = await api.read({ apiVersion: 'v1', kind: 'Namespace', name: 'kube-system' });
    return found ? undefined : 'the API answers, but has no namespace kube-system yet';
  } catch (error) {
    // Unauthorized: the kubeconfig may be that of a lost first server, until the new one has stored its own.
    if (hasCode(error, 'KubernetesUnreachable', 'KubernetesThrottled', 'KubernetesUnauthorized')) {
      return error.message;
    }
    throw error;
  }
}

/** Whether every machine of the cluster lives, and how far each has come. @throws MachineLost */
export async function checkInstances(context: StepContext<'machines'>): Promise<StepOutput> {
  const servers = await livingMachines(context, 'server');
  const agents = await livingMachines(context, 'agent');
  return { message: progressOf([...servers, ...agents]) };
}

/** Whether every node is Ready. @throws NodesTimedOut */
export async function checkNodes(
  context: StepContext<'secrets' | 'kubernetes'>,
  input: StepInput,
): Promise<StepOutput> {
  const { controlPlane, workers } = context.record.spec.spec.nodes;
  const expected = controlPlane.count + workers.count;
  const api = await requireManagementApi(context, context.record);
  const nodes = (await api.list({ apiVersion: 'v1', kind: 'Node' }).catch(ignoreUnreachable)) ?? [];
  const ready = nodes.filter((node) => conditionOf(node, 'Ready')?.status === 'True');
  const message = `${ready.length} of ${expected} nodes are Ready`;
  if (ready.length >= expected) {
    const observedAt = context.clock.now().toISOString();
    await context.fleet.update(context.lease, {
      observed: {
        phase: 'Provisioned',
        controlPlaneReplicas: controlPlane.count,
        controlPlaneReadyReplicas: controlPlane.count,
        workerReplicas: workers.count,
        workerReadyReplicas: workers.count,
        observedAt,
      },
      updatedAt: observedAt,
    });
    return { ready: true, message };
  }
  if (isOver(context, input)) {
    const conditions = nodes.map(
      (node) => `node ${node.metadata.name}: ${conditionOf(node, 'Ready')?.message ?? 'no Ready condition'}`,
    );
    throw new PetraError('NodesTimedOut', `${message} in time`, { evidence: conditions });
  }
  return { ready: false, message };
}

/** The machines of one role, all of which must live. @throws MachineLost */
async function livingMachines(
  context: StepContext<'machines'>,
  role: MachineRole,
): Promise<readonly Machine[]> {
  const { region, uid, spec } = context.record;
  const machines = (await context.machines.list(region, uid)).filter(
    (machine) => machine.role === role && (machine.state === 'pending' || machine.state === 'running'),
  );
  const expected = role === 'server' ? spec.spec.nodes.controlPlane.count : spec.spec.nodes.workers.count;
  if (machines.length >= expected) return machines;
  throw new PetraError(
    'MachineLost',
    `${expected - machines.length} of ${expected} ${role} machines of "${context.record.name}" are gone`,
  );
}

function progressOf(machines: readonly Machine[]): string {
  return machines.map(({ name, state, progress }) => `${name} ${progress ?? state}`).join(', ');
}

function serverNames(context: StepContext): string[] {
  return Array.from(
    { length: context.record.spec.spec.nodes.controlPlane.count },
    (_, index) => `server-${index}`,
  );
}

function ignoreUnreachable(error: unknown): undefined {
  if (hasCode(error, 'KubernetesUnreachable', 'KubernetesThrottled')) return undefined;
  throw error;
}
