// Faults of the outside world that no `--fault` asks for: single calls of a port that fail or answer otherwise, while
// everything else goes on to the working twins.

import type { Ports } from '../../core/petra.ts';
import type { Kubernetes } from '../../core/ports.ts';

export interface PortFault {
  /** Port and method, for example `machines.launch`; `kubernetes.` stands for every connected cluster. */
  readonly call: string;
  /** Only calls with these arguments; all when absent. */
  readonly when?: (...given: never[]) => boolean;
  /** Throws, or answers in place of the port; `usual` is the port's own answer. */
  readonly instead: (usual: () => Promise<unknown>) => Promise<unknown>;
}

/** A call that fails, each time. */
export function failing(call: string, error: Error, when?: PortFault['when']): PortFault {
  return {
    call,
    ...(when && { when }),
    instead: async () => {
      throw error;
    },
  };
}

/** The ports, with whatever faults there are at the moment of a call. */
export function withPortFaults(ports: Ports, faults: readonly PortFault[]): Ports {
  const { kubernetes } = ports;
  return {
    ...ports,
    fleet: faulty('fleet', ports.fleet, faults),
    operations: faulty('operations', ports.operations, faults),
    ledger: faulty('ledger', ports.ledger, faults),
    resources: faulty('resources', ports.resources, faults),
    machines: faulty('machines', ports.machines, faults),
    networks: faulty('networks', ports.networks, faults),
    secrets: faulty('secrets', ports.secrets, faults),
    artifacts: faulty('artifacts', ports.artifacts, faults),
    releases: faulty('releases', ports.releases, faults),
    tagged: faulty('tagged', ports.tagged, faults),
    diagnosis: faulty('diagnosis', ports.diagnosis, faults),
    quotas: faulty('quotas', ports.quotas, faults),
    permissions: faulty('permissions', ports.permissions, faults),
    events: faulty('events', ports.events, faults),
    kubernetes: {
      connect: (kubeconfig): Kubernetes => faulty('kubernetes', kubernetes.connect(kubeconfig), faults),
    },
  };
}

function faulty<T extends object>(port: string, real: T, faults: readonly PortFault[]): T {
  return new Proxy(real, {
    get: (target, method) => {
      const member: unknown = Reflect.get(target, method);
      if (typeof member !== 'function') return member;
      return (...given: never[]) => {
        const usual = () => Reflect.apply(member, target, given);
        const call = `${port}.${String(method)}`;
        const fault = faults.find((one) => one.call === call && (one.when?.(...given) ?? true));
        return fault ? fault.instead(usual) : usual();
      };
    },
  });
}
