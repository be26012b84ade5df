// The AWS part of init: addresses, secrets and machines of a management cluster, up to Ready nodes.

import { hasCode, PetraError } from '../errors.ts';
import { managementNodes, renderManagementUserData } from '../management/k3s-user-data.ts';
import { joinTokenSecretName, kubeconfigSecretName } from '../management/secret-names.ts';
import type { Machine, MachineRole } from '../ports.ts';
import { conditionOf } from './conditions.ts';
import { deadlineAfter, isOver, type StepContext, type StepInput } from './context.ts';
import { madeOnce } from './made.ts';
import { managementApi, requireManagementApi } from './management-api.ts';
import type { StepOutput } from './run-step.ts';

/** Lines of a machine's console that go into an error. */
const consoleLines = 20;

/** Reserves one network interface for each server, so that addresses are known before any machine exists. */
export async function reserveAddresses(context: StepContext): Promise<StepOutput> {
  // From here on the cluster owns things made from its spec.
  await context.fleet.update(context.lease, {
    materialized: true,
    updatedAt: context.clock.now().toISOString(),
  });
  const { name, uid, region } = context.record;
  for (const server of serverNames(context)) {
    await madeOnce(context, 'network-interface', server, () =>
      context.networks.reserveInterface({ cluster: name, uid, region, name: server }),
    );
  }
  return {};
}

/** Makes the join token, once, and registers the secret into which the first server writes its kubeconfig. */
export async function makeSecrets(context: StepContext): Promise<StepOutput> {
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
export async function launchServers(context: StepContext): Promise<StepOutput> {
  await launch(context, 'server');
  return { deadline: deadlineAfter(context, context.settings.limits.api) };
}

/** Launches every agent that does not live yet. */
export async function launchWorkers(context: StepContext): Promise<StepOutput> {
  await launch(context, 'agent');
  return { deadline: deadlineAfter(context, context.settings.limits.nodes) };
}

async function launch(context: StepContext, role: MachineRole): Promise<void> {
  const { name: cluster, uid, region, spec } = context.record;
  const interfaces = new Map(
    (await context.networks.listInterfaces(region, uid)).map((one) => [one.name, one]),
  );
  const serverAddresses = serverNames(context).map((server) => {
    const reserved = interfaces.get(server);
    if (!reserved) throw new PetraError('InternalError', `the network interface of ${server} is missing`);
    return reserved.address;
  });
  const group = role === 'server' ? spec.spec.nodes.controlPlane : spec.spec.nodes.workers;
  for (const node of managementNodes({ name: cluster, uid, region, spec, serverAddresses })) {
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

/** Whether the Kubernetes API of the management cluster answers. @throws BootTimedOut, MachineLost */
export async function checkApi(context: StepContext, input: StepInput): Promise<StepOutput> {
  const machines = await livingMachines(context, 'server');
  const refusal = await apiRefusal(context);
  if (refusal === undefined) return { ready: true, message: 'the Kubernetes API answers' };
  if (isOver(context, input)) {
    throw new PetraError(
      'BootTimedOut',
      `the Kubernetes API of "${context.record.name}" did not answer in time`,
      { evidence: [refusal, ...(await consoles(context, machines))] },
    );
  }
  const first = machines.find((machine) => machine.name === 'server-0');
  const waitsFor = first?.state === 'running' ? 'server-0 to bring up Kubernetes' : 'server-0 to run';
  return { ready: false, message: `waiting for ${waitsFor}` };
}

/** Why the API cannot be used yet; undefined when it can. */
async function apiRefusal(context: StepContext): Promise<string | undefined> {
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

/** Whether every node is Ready. @throws NodesTimedOut, MachineLost */
export async function checkNodes(context: StepContext, input: StepInput): Promise<StepOutput> {
  const machines = [
    ...(await livingMachines(context, 'server')),
    ...(await livingMachines(context, 'agent')),
  ];
  const api = await requireManagementApi(context, context.record);
  const nodes = (await api.list({ apiVersion: 'v1', kind: 'Node' }).catch(ignoreUnreachable)) ?? [];
  const ready = nodes.filter((node) => conditionOf(node, 'Ready')?.status === 'True');
  const message = `${ready.length} of ${machines.length} nodes are Ready`;
  if (ready.length >= machines.length) {
    const { controlPlane, workers } = context.record.spec.spec.nodes;
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
    throw new PetraError('NodesTimedOut', `${message} in time`, {
      evidence: [...conditions, ...(await consoles(context, machines))],
    });
  }
  return { ready: false, message };
}

/** The machines of one role, all of which must live. @throws MachineLost */
async function livingMachines(context: StepContext, role: MachineRole): Promise<readonly Machine[]> {
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

async function consoles(context: StepContext, machines: readonly Machine[]): Promise<string[]> {
  const evidence: string[] = [];
  for (const machine of machines) {
    const lines = await context.machines.consoleOutput(context.record.region, machine.id);
    evidence.push(`${machine.name} (${machine.id}) is ${machine.state}; the end of its console:`);
    evidence.push(...lines.slice(-consoleLines).map((line) => `  ${line}`));
  }
  return evidence;
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
