// Faults that a user asks a local Petra for, `petra local up --fault ec2:InsufficientInstanceCapacity:2`, to see what
// Petra does about them. A counted fault happens that many times, also across restarts; any other stays.

import { PetraError } from '../core/errors.ts';
import { editDistance } from '../core/nearest-word.ts';
import type { Collection, Disk } from './disk.ts';

/** One kind of fault, for help texts and docs. */
export interface FaultKind {
  readonly service: string;
  /** What follows the service: a fixed name, or a placeholder in capitals that `pattern` describes. */
  readonly name: string;
  readonly pattern?: RegExp;
  /** Whether `:TIMES` may follow. */
  readonly counted?: true;
  /** The only API call it happens to; absent: any call of the service. */
  readonly call?: string;
  /** What is wrong. */
  readonly description: string;
  /** What Petra does about it. */
  readonly effect: string;
}

/** Waited out by `Retry` in the state machines. */
function waitedOut(code: string): string {
  return `Up to six times in a row it is waited out, and nobody notices; else \`${code}\`.`;
}

/** Every fault there is. */
export const faultKinds: readonly FaultKind[] = [
  {
    service: 'ec2',
    name: 'InsufficientInstanceCapacity',
    counted: true,
    call: 'RunInstances',
    description: 'EC2 has no capacity for a management node.',
    effect:
      '`init` waits longer and tries again; after the fourth time in a row it ends with `CapacityUnavailable`.',
  },
  {
    service: 'ec2',
    name: 'VcpuLimitExceeded',
    counted: true,
    call: 'RunInstances',
    description: "The account's vCPU quota is used up when a management node is launched.",
    effect: '`init` ends with `QuotaExceeded`, which names the quota.',
  },
  {
    service: 'ec2',
    name: 'NetworkInterfaceLimitExceeded',
    counted: true,
    call: 'CreateNetworkInterface',
    description: "The account's quota of network interfaces is used up.",
    effect: '`init` ends with `QuotaExceeded`, which names the quota.',
  },
  {
    service: 'ec2',
    name: 'UnauthorizedOperation',
    counted: true,
    description: "Petra's role lacks the permission for an EC2 call.",
    effect: 'The operation ends with `AwsAccessDenied`.',
  },
  {
    service: 'ec2',
    name: 'RequestLimitExceeded',
    counted: true,
    description: 'EC2 throttles a call.',
    effect: waitedOut('Throttled'),
  },
  {
    service: 'ec2',
    name: 'InternalError',
    counted: true,
    description: 'EC2 fails a call with a fault of its own.',
    effect: waitedOut('AwsUnavailable'),
  },
  {
    service: 'secretsmanager',
    name: 'ThrottlingException',
    counted: true,
    description: 'Secrets Manager throttles a call.',
    effect: waitedOut('Throttled'),
  },
  {
    service: 'secretsmanager',
    name: 'InternalServiceError',
    counted: true,
    description: 'Secrets Manager fails a call with a fault of its own.',
    effect: waitedOut('AwsUnavailable'),
  },
  {
    service: 's3',
    name: 'SlowDown',
    counted: true,
    description: 'S3 throttles a call.',
    effect: waitedOut('Throttled'),
  },
  {
    service: 's3',
    name: 'InternalError',
    counted: true,
    description: 'S3 fails a call with a fault of its own.',
    effect: waitedOut('AwsUnavailable'),
  },
  {
    service: 'servicequotas',
    name: 'ThrottlingException',
    counted: true,
    description: 'Service Quotas throttles a call.',
    effect: 'The preflight of `init` and `create` warns that the quotas are `Unchecked`, and goes on.',
  },
  {
    service: 'servicequotas',
    name: 'AccessDeniedException',
    counted: true,
    description: "Petra's role may not read quotas.",
    effect: 'The same.',
  },
  {
    service: 'iam',
    name: 'AccessDeniedException',
    counted: true,
    description: "Petra's role may not simulate the policies of CAPA's.",
    effect: 'The preflight warns that the permissions are `Unchecked`, and goes on.',
  },
  {
    service: 'quota',
    name: 'NAME',
    pattern: /^(standardVcpus|elasticIps|natGatewaysPerZone|vpcs|internetGateways|networkLoadBalancers)$/,
    description: 'The quota of this name (`elasticIps`, `vpcs` …) is used up.',
    effect: 'The preflight ends with `QuotaTooSmall`, unless that is accepted.',
  },
  {
    service: 'permission',
    name: 'ACTION',
    pattern: /^[a-z0-9-]+:[A-Za-z]+$/,
    description: 'CAPA is denied the action, `ec2:CreateVpc` for example.',
    effect: 'The preflight of `create` ends with `CapaPermissionMissing`, unless that is accepted.',
  },
  {
    service: 'releases',
    name: 'Unreachable',
    counted: true,
    description: 'The repository of provider releases does not answer.',
    effect: waitedOut('ReleaseUnreachable'),
  },
  {
    service: 'boot',
    name: 'never',
    description: 'Management nodes run, but never get to start k3s.',
    effect: '`init` ends with `BootTimedOut`; the end of each console is the evidence.',
  },
  {
    service: 'boot',
    name: 'slow',
    description: 'Management nodes take ten times as long to boot.',
    effect: '`init` waits for them.',
  },
  {
    service: 'kubernetes',
    name: 'unreachable',
    counted: true,
    description: "The management cluster's API does not answer.",
    effect:
      '`init` waits for it, and ends with `BootTimedOut`; later on, what waits goes on until its own limit, other steps make six more tries, and then `KubernetesUnreachable`.',
  },
  {
    service: 'provider',
    name: 'NAME',
    pattern: /^[A-Za-z0-9][A-Za-z0-9.-]*$/,
    description: 'The provider of this key or Deployment never becomes available.',
    effect:
      '`init` ends with `ProviderTimedOut`, or `CertManagerTimedOut` for a Deployment of cert-manager; conditions are the evidence.',
  },
  {
    service: 'webhook',
    name: 'KIND',
    pattern: /^[A-Z][A-Za-z0-9]*$/,
    description: 'The admission webhook refuses objects of this kind.',
    effect:
      'Whatever applies one ends with `ObjectRefused`. `webhook:Cluster` during `init`: `WebhooksTimedOut`, since its trial Cluster is refused.',
  },
  {
    service: 'cluster',
    name: 'infrastructure',
    description: 'The infrastructure of workload clusters never becomes ready.',
    effect: '`create` ends with `ClusterTimedOut`; `petra capi describe` shows the VPC as the root cause.',
  },
  {
    service: 'cluster',
    name: 'failed',
    description: 'Workload clusters end in phase Failed.',
    effect: '`create` ends with `ClusterFailed`; `delete` clears it away.',
  },
  {
    service: 'cluster',
    name: 'stuck-deleting',
    description: 'Workload clusters are never gone after their deletion.',
    effect: '`delete` ends with `DeletionTimedOut`, a cascading `destroy` with `WorkloadDeletionFailed`.',
  },
  {
    service: 'machine',
    name: 'capacity',
    description: 'EC2 has no capacity for the machines of workload clusters.',
    effect: '`create` ends with `ClusterTimedOut`; the AWSMachine says why.',
  },
  {
    service: 'crash',
    name: 'VERB.STATE:before|after',
    pattern: /^(init|create|delete|destroy)\.[A-Z][A-Za-z0-9]*:(before|after)$/,
    counted: true,
    description: "Petra kills itself right before or after the state's work; once, unless TIMES says more.",
    effect:
      'The command waits. The next command, or `petra local up`, starts Petra again, and the operation goes on.',
  },
];

/** A fault of `faultKinds` that was asked for. */
export interface Fault {
  /** As it was asked for, without the count: `ec2:SlowDown`. */
  readonly text: string;
  readonly kind: FaultKind;
  /** How often it happens; absent: always. */
  readonly times?: number;
}

/** How a kind of fault is written: `ec2:RequestLimitExceeded[:TIMES]`. */
export function faultForm(kind: FaultKind): string {
  return `${kind.service}:${kind.name}${kind.counted ? '[:TIMES]' : ''}`;
}

/** Reads one `<service>:<error>[:<times>]`. @throws InvalidUsage with the nearest fault, and all of them as the fix. */
export function parseFault(text: string): Fault {
  const count = /^(.+:.+):(\d+)$/.exec(text);
  const name = count?.[1] ?? text;
  const kind = faultKinds.find((candidate) => matches(candidate, name));
  if (!kind) {
    const nearest = nearestForm(name);
    throw refusal(`unknown fault "${text}"${nearest ? `; did you mean ${nearest}?` : ''}`);
  }
  if (count === null) return kind.service === 'crash' ? { text, kind, times: 1 } : { text, kind };
  const times = Number(count[2]);
  if (!kind.counted) throw refusal(`fault "${name}" cannot be counted, got "${text}"`);
  if (!Number.isSafeInteger(times) || times < 1) throw refusal(`fault "${text}" must happen at least once`);
  return { text: name, kind, times };
}

function matches(kind: FaultKind, name: string): boolean {
  const prefix = `${kind.service}:`;
  if (!name.startsWith(prefix)) return false;
  const rest = name.slice(prefix.length);
  return kind.pattern ? kind.pattern.test(rest) : rest === kind.name;
}

function refusal(message: string): PetraError {
  const forms = faultKinds.map(faultForm);
  return new PetraError('InvalidUsage', message, {
    fix: `Use one of: ${forms.join(', ')}.`,
    details: { faults: forms },
  });
}

function nearestForm(name: string): string | undefined {
  const service = name.split(':', 1)[0] ?? '';
  const limit = Math.max(3, Math.floor(name.length / 3));
  const candidates = faultKinds.map((kind) => ({
    form: faultForm(kind),
    distance:
      kind.pattern && kind.service === service
        ? 0
        : editDistance(name.toLowerCase(), `${kind.service}:${kind.name}`.toLowerCase(), limit),
  }));
  candidates.sort((a, b) => a.distance - b.distance);
  const best = candidates[0];
  return best && best.distance <= limit ? best.form : undefined;
}

/** The faults in force. */
export class Faults {
  readonly #happened: Collection<number>;
  #faults: readonly Fault[];

  constructor(disk: Disk, faults: readonly Fault[]) {
    this.#happened = disk.collection('faults');
    this.#faults = faults;
  }

  /**
   * What follows `target` in the first fault in force that begins with it: `active('boot')` is `never` under
   * `boot:never`, and `active('boot:never')` is the empty string. Undefined when there is none. Consumes nothing.
   */
  active(target: string): string | undefined {
    for (const fault of this.#faults) {
      if (!this.#isLeft(fault)) continue;
      if (fault.text === target) return '';
      if (fault.text.startsWith(`${target}:`)) return fault.text.slice(target.length + 1);
    }
    return undefined;
  }

  /**
   * The name of the error with which a call of this service has to fail, or undefined; consumes one of a counted
   * fault. Faults that only one API call knows, such as a lack of capacity, happen only when it is named.
   */
  take(service: string, call?: string): string | undefined {
    const fault = this.#faults.find(
      (candidate) =>
        candidate.kind.service === service &&
        (candidate.kind.call === undefined || candidate.kind.call === call) &&
        this.#isLeft(candidate),
    );
    if (!fault) return undefined;
    // Not awaited: memory has the new count at once, and the disk keeps the order of its writes. A disk that cannot
    // be written refuses the next write of the caller too, so nothing is hidden here.
    this.#consume(fault).catch(() => undefined);
    return fault.text.slice(service.length + 1);
  }

  /**
   * Whether the process has to kill itself at this point, `init.LaunchControlPlane` for example. Consumes the fault,
   * and resolves when that would survive the kill, so that the restarted process gets past the point.
   */
  async takeCrash(state: string, when: 'before' | 'after'): Promise<boolean> {
    const fault = this.#faults.find(({ text }) => text === `crash:${state}:${when}`);
    if (!fault || !this.#isLeft(fault)) return false;
    await this.#consume(fault);
    return true;
  }

  /** Ends all faults, and forgets how often they happened. */
  async clear(): Promise<void> {
    this.#faults = [];
    for (const [text] of [...this.#happened.entries()]) await this.#happened.delete(text);
  }

  #isLeft(fault: Fault): boolean {
    return fault.times === undefined || (this.#happened.get(fault.text) ?? 0) < fault.times;
  }

  async #consume(fault: Fault): Promise<void> {
    if (fault.times === undefined) return;
    await this.#happened.put(fault.text, (this.#happened.get(fault.text) ?? 0) + 1);
  }
}
