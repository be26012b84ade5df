import type { Permissions } from '../../core/ports.ts';
import type { Faults } from '../faults.ts';
import { refuseIfAsked } from './refusals.ts';

/** IAM on one machine: everything is allowed, but for the faults that are asked for. */
export class SimulatedPermissions implements Permissions {
  readonly #faults: Faults;

  constructor(faults: Faults) {
    this.#faults = faults;
  }

  async denied(region: string, actions: readonly string[]): Promise<readonly string[]> {
    const doing = `simulate the policies of CAPA's role in ${region}`;
    refuseIfAsked(this.#faults, 'iam', 'SimulatePrincipalPolicy', doing);
    return actions.filter((action) => this.#faults.active(`permission:${action}`) !== undefined);
  }
}
