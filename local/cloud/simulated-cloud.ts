import type {
  Artifacts,
  Clock,
  Machines,
  Networks,
  NodeDiagnosis,
  Permissions,
  Quotas,
  Secrets,
} from '../../core/ports.ts';
import type { Disk } from '../disk.ts';
import { Faults } from '../faults.ts';
import type { Log } from '../log.ts';
import type { Pace } from '../pace.ts';
import { SimulatedArtifacts } from './artifacts.ts';
import { Boot } from './boot.ts';
import { BootStages, type SimulatedKubernetes } from './boot-stages.ts';
import { SimulatedDiagnosis } from './diagnosis.ts';
import { Ec2Records, isAlive } from './ec2-records.ts';
import { SimulatedMachines } from './machines.ts';
import { SimulatedNetworks } from './networks.ts';
import { SimulatedPermissions } from './permissions.ts';
import { SimulatedQuotas } from './quotas.ts';
import { SimulatedSecrets } from './secrets.ts';
import { petraTags, SimulatedTaggedResources, type Tagged } from './tagged-resources.ts';

/** AWS as far as Petra needs it, on one machine. */
export interface SimulatedCloud {
  readonly machines: Machines;
  readonly networks: Networks;
  readonly secrets: Secrets;
  readonly artifacts: Artifacts;
  readonly tagged: SimulatedTaggedResources;
  readonly diagnosis: NodeDiagnosis;
  readonly quotas: Quotas;
  readonly permissions: Permissions;
  /** Begins to boot machines, and goes on with those that another process left half-way. */
  start(): void;
  /** Resolves when nothing is under way any more; then the disk may be closed. */
  stop(): Promise<void>;
}

/** The simulated cloud that a disk holds: open the disk with `openPrivateDisk`. */
export function openSimulatedCloud(parts: {
  readonly disk: Disk;
  readonly pace: Pace;
  readonly faults: Faults;
  readonly kubernetes: SimulatedKubernetes;
  readonly log: Log;
  readonly clock?: Clock;
  /** On-demand vCPUs that may run in each region. */
  readonly vcpuQuota?: number;
}): SimulatedCloud {
  const { disk, pace, faults, kubernetes, log } = parts;
  const clock = parts.clock ?? { now: () => new Date() };
  const records = new Ec2Records(disk);
  const machineSecrets = new SimulatedSecrets({ disk, faults: new Faults(disk, []) });
  const stages = new BootStages({ disk, records, secrets: machineSecrets, kubernetes, faults, clock });
  const boot = new Boot({ records, stages, pace, faults, clock, log });
  const secrets = new SimulatedSecrets({ disk, faults });
  const tagged = new SimulatedTaggedResources({
    disk,
    faults,
    sources: [(region) => ec2Resources(records, region), () => secretResources(secrets)],
  });
  const quota = parts.vcpuQuota === undefined ? {} : { vcpuQuota: parts.vcpuQuota };
  return {
    machines: new SimulatedMachines({
      records,
      pace,
      faults,
      clock,
      changed: () => boot.wake(),
      ...quota,
    }),
    networks: new SimulatedNetworks({ records, faults, clock }),
    secrets,
    artifacts: new SimulatedArtifacts({ disk, faults }),
    tagged,
    diagnosis: new SimulatedDiagnosis(records),
    quotas: new SimulatedQuotas({ records, tagged, faults, ...quota }),
    permissions: new SimulatedPermissions(faults),
    start: () => boot.start(),
    stop: () => boot.stop(),
  };
}

function* ec2Resources(records: Ec2Records, region: string): IterableIterator<Tagged> {
  for (const machine of records.machinesIn(region))
    if (isAlive(machine)) yield { type: 'ec2:instance', id: machine.id, tags: petraTags(machine) };
  for (const reserved of records.interfacesIn(region))
    yield { type: 'ec2:network-interface', id: reserved.id, tags: petraTags(reserved) };
  for (const address of records.addressesIn(region))
    yield { type: 'ec2:elastic-ip', id: address.id, tags: petraTags(address) };
}

/** In every region: a local Petra has none of its own, in which its secrets would be. */
function* secretResources(secrets: SimulatedSecrets): IterableIterator<Tagged> {
  for (const owner of secrets.owners())
    yield { type: 'secretsmanager:secret', id: owner.name, tags: petraTags(owner) };
}
