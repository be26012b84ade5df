import type { NodeDiagnosis } from '../../core/ports.ts';
import { type Ec2Records, isAlive } from './ec2-records.ts';

/** What Systems Manager would hear from a machine, on one machine: how far its simulated boot has come. */
export class SimulatedDiagnosis implements NodeDiagnosis {
  readonly #records: Ec2Records;

  constructor(records: Ec2Records) {
    this.#records = records;
  }

  async report(region: string, machineIds: readonly string[]): Promise<readonly string[]> {
    return machineIds.map((id) => {
      const machine = this.#records.machines.get(id);
      if (machine?.region !== region || !isAlive(machine)) return `${id}: its agent is not heard of`;
      const boot = this.#records.boots.get(id);
      if (boot?.halted) return `${machine.name} (${id}): its boot gave up`;
      return `${machine.name} (${id}): ${boot?.waitingFor ?? `boot stage ${boot?.stage ?? 0} (simulated agent)`}`;
    });
  }
}
