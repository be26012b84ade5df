import { hasCode, PetraError } from '../errors.ts';
import type { ClusterRecord } from '../fleet.ts';
import { kubeconfigSecretName } from '../management/secret-names.ts';
import type { Ports } from '../petra.ts';
import type { Kubernetes } from '../ports.ts';
import { isOver, type StepContext, type StepInput } from './context.ts';
import type { StepOutput } from './run-step.ts';

/**
 * The API of a management cluster, from the kubeconfig its first server left in its secret; undefined while there
 * is none yet.
 */
export async function managementApi(
  ports: Pick<Ports, 'secrets' | 'kubernetes'>,
  uid: string,
): Promise<Kubernetes | undefined> {
  const kubeconfig = await ports.secrets.read(kubeconfigSecretName(uid));
  return kubeconfig === undefined || kubeconfig === '' ? undefined : ports.kubernetes.connect(kubeconfig);
}

/** The same, where it must exist. @throws ManagementClusterNotReady */
export async function requireManagementApi(
  ports: Pick<Ports, 'secrets' | 'kubernetes'>,
  management: Pick<ClusterRecord, 'name' | 'uid'>,
): Promise<Kubernetes> {
  const api = await managementApi(ports, management.uid);
  if (api) return api;
  throw new PetraError(
    'ManagementClusterNotReady',
    `management cluster "${management.name}" has no kubeconfig yet`,
    { cluster: management.name },
  );
}

/**
 * Looks whether what is waited for has come. A Kubernetes API that is away, since its server is started again or its
 * machine replaced, has only not said so yet: the answer is `silent` then. It lasts longer than retries of one call.
 * @throws whatever the look throws; KubernetesUnreachable and KubernetesThrottled only when the deadline has passed
 */
export async function lookPatiently(
  context: Pick<StepContext, 'clock'>,
  input: StepInput,
  silent: StepOutput,
  look: () => Promise<StepOutput>,
): Promise<StepOutput> {
  try {
    return await look();
  } catch (error) {
    const mayPass = hasCode(error, 'KubernetesUnreachable', 'KubernetesThrottled');
    if (!mayPass || isOver(context, input)) throw error;
    return { ...silent, message: `waiting: ${error.message}` };
  }
}

/** The management cluster of a workload cluster; a management cluster is its own. @throws ManagementClusterNotReady when its record is gone. */
export async function managementOf(
  ports: Pick<Ports, 'fleet'>,
  record: ClusterRecord,
): Promise<ClusterRecord> {
  const name = record.management ?? record.name;
  const management = await ports.fleet.find(name);
  if (management && management.kind === 'management' && management.phase !== 'Deleted') return management;
  throw new PetraError(
    'ManagementClusterNotReady',
    `management cluster "${name}" of workload cluster "${record.name}" is not in the fleet any more`,
    { cluster: name },
  );
}

/** The refusal to build on a management cluster that is being made, or torn down. */
export function managementNotReady({ name, phase }: Pick<ClusterRecord, 'name' | 'phase'>): PetraError {
  return new PetraError('ManagementClusterNotReady', `management cluster "${name}" is ${phase}, not Ready`, {
    cluster: name,
  });
}
