import type { Quota, QuotaName, Quotas } from '../../core/ports.ts';
import type { Faults } from '../faults.ts';
import { type Ec2Records, isAlive } from './ec2-records.ts';
import { vcpusOf } from './offerings.ts';
import { refuseIfAsked } from './refusals.ts';
import type { SimulatedTaggedResources } from './tagged-resources.ts';

/** Limits of an account of some age; a new one has less. The codes are those of Service Quotas. */
const limits: Readonly<
  Record<QuotaName, { readonly code: string; readonly title: string; readonly limit: number }>
> = {
  standardVcpus: {
    code: 'L-1216C47A',
    title: 'Running On-Demand Standard (A, C, D, H, I, M, R, T, Z) instances',
    limit: 512,
  },
  elasticIps: { code: 'L-0263D0A3', title: 'EC2-VPC Elastic IPs', limit: 100 },
  natGatewaysPerZone: { code: 'L-FE5A380F', title: 'NAT gateways per Availability Zone', limit: 100 },
  vpcs: { code: 'L-F678F1CE', title: 'VPCs per Region', limit: 100 },
  internetGateways: { code: 'L-A4707A72', title: 'Internet gateways per Region', limit: 100 },
  networkLoadBalancers: { code: 'L-69A177A2', title: 'Network Load Balancers per Region', limit: 100 },
};

/** Service Quotas on one machine, with the use that the simulated services and controllers make of them. */
export class SimulatedQuotas implements Quotas {
  readonly #records: Ec2Records;
  readonly #tagged: Pick<SimulatedTaggedResources, 'added'>;
  readonly #faults: Faults;
  readonly #vcpuLimit: number;

  constructor(parts: {
    readonly records: Ec2Records;
    readonly tagged: Pick<SimulatedTaggedResources, 'added'>;
    readonly faults: Faults;
    readonly vcpuQuota?: number;
  }) {
    this.#records = parts.records;
    this.#tagged = parts.tagged;
    this.#faults = parts.faults;
    this.#vcpuLimit = parts.vcpuQuota ?? limits.standardVcpus.limit;
  }

  async read(region: string, names: readonly QuotaName[]): Promise<ReadonlyMap<QuotaName, Quota>> {
    refuseIfAsked(this.#faults, 'servicequotas', 'GetServiceQuota', `read the quotas of ${region}`);
    return new Map(
      names.map((name) => {
        const { code, title } = limits[name];
        const used = this.#used(region, name);
        return [name, { code, title, limit: this.#limit(name, used), used }];
      }),
    );
  }

  #limit(name: QuotaName, used: number): number {
    if (this.#faults.active(`quota:${name}`) !== undefined) return used;
    return name === 'standardVcpus' ? this.#vcpuLimit : limits[name].limit;
  }

  #used(region: string, name: QuotaName): number {
    switch (name) {
      case 'standardVcpus':
        return this.#vcpus(region);
      case 'elasticIps':
        return [...this.#records.addressesIn(region)].length + this.#count(region, 'ec2:elastic-ip');
      case 'natGatewaysPerZone':
        return this.#natGateways(region);
      case 'vpcs':
        return this.#count(region, 'ec2:vpc');
      case 'internetGateways':
        return this.#count(region, 'ec2:internet-gateway');
      case 'networkLoadBalancers':
        return this.#count(region, 'elasticloadbalancing:loadbalancer');
    }
  }

  /** CAPA's machines do not say their type here: they count as the smallest that the simulation offers. */
  #vcpus(region: string): number {
    let used = 2 * this.#count(region, 'ec2:instance');
    for (const machine of this.#records.machinesIn(region))
      if (isAlive(machine)) used += vcpusOf(machine.instanceType);
    return used;
  }

  #natGateways(region: string): number {
    const zones = new Map<string, number>();
    for (const { type, tags } of this.#tagged.added(region)) {
      if (type !== 'ec2:natgateway') continue;
      const zone = tags.Name?.split('-nat-')[1] ?? '';
      zones.set(zone, (zones.get(zone) ?? 0) + 1);
    }
    return Math.max(0, ...zones.values());
  }

  #count(region: string, type: string): number {
    return [...this.#tagged.added(region)].filter((resource) => resource.type === type).length;
  }
}
