import type { EC2Client } from '@aws-sdk/client-ec2';
import type { ElasticLoadBalancingV2Client } from '@aws-sdk/client-elastic-load-balancing-v2';
import {
  GetAWSDefaultServiceQuotaCommand,
  GetServiceQuotaCommand,
  type ServiceQuotasClient,
} from '@aws-sdk/client-service-quotas';
import type { Quota, QuotaName, Quotas } from '../core/ports.ts';
import { isNamed, translatingAwsErrors } from './aws-errors.ts';
import { quotaUse } from './quota-use.ts';

interface QuotaCode {
  readonly service: string;
  readonly code: string;
  readonly title: string;
}

/** Codes and titles as the Service Quotas console shows them. */
const codes: Readonly<Record<QuotaName, QuotaCode>> = {
  standardVcpus: {
    service: 'ec2',
    code: 'L-1216C47A',
    title: 'Running On-Demand Standard (A, C, D, H, I, M, R, T, Z) instances',
  },
  elasticIps: { service: 'ec2', code: 'L-0263D0A3', title: 'EC2-VPC Elastic IPs' },
  natGatewaysPerZone: { service: 'vpc', code: 'L-FE5A380F', title: 'NAT gateways per Availability Zone' },
  vpcs: { service: 'vpc', code: 'L-F678F1CE', title: 'VPCs per Region' },
  internetGateways: { service: 'vpc', code: 'L-A4707A72', title: 'Internet gateways per Region' },
  networkLoadBalancers: {
    service: 'elasticloadbalancing',
    code: 'L-69A177A2',
    title: 'Network Load Balancers per Region',
  },
};

/** The account's limits by Service Quotas, and their use by the services themselves, all asked at once. */
export class ServiceQuotas implements Quotas {
  readonly #clients: {
    readonly quotas: (region: string) => ServiceQuotasClient;
    readonly ec2: (region: string) => EC2Client;
    readonly loadBalancing: (region: string) => ElasticLoadBalancingV2Client;
  };

  constructor(clients: {
    readonly quotas: (region: string) => ServiceQuotasClient;
    readonly ec2: (region: string) => EC2Client;
    readonly loadBalancing: (region: string) => ElasticLoadBalancingV2Client;
  }) {
    this.#clients = clients;
  }

  async read(region: string, names: readonly QuotaName[]): Promise<ReadonlyMap<QuotaName, Quota>> {
    const clients = { ec2: this.#clients.ec2(region), loadBalancing: this.#clients.loadBalancing(region) };
    const quotas = await Promise.all(
      names.map(async (name) => {
        const { code, title } = codes[name];
        const [limit, used] = await Promise.all([
          translatingAwsErrors(`read the quota ${code} (${title}) of ${region}`, () =>
            limitOf(this.#clients.quotas(region), codes[name]),
          ),
          translatingAwsErrors(`count the use of ${code} (${title}) in ${region}`, () =>
            quotaUse[name](clients),
          ),
        ]);
        return limit === undefined ? [] : [[name, { code, title, limit, used }] as const];
      }),
    );
    return new Map(quotas.flat());
  }
}

/** Undefined where the region has no such quota. */
async function limitOf(
  client: ServiceQuotasClient,
  { service, code }: QuotaCode,
): Promise<number | undefined> {
  const quota = { ServiceCode: service, QuotaCode: code };
  const applied = await client.send(new GetServiceQuotaCommand(quota)).catch(unknownQuota);
  if (applied?.Quota?.Value !== undefined) return applied.Quota.Value;
  // An account that never had another value may have none of its own.
  const byDefault = await client.send(new GetAWSDefaultServiceQuotaCommand(quota)).catch(unknownQuota);
  return byDefault?.Quota?.Value;
}

function unknownQuota(error: unknown): undefined {
  if (!isNamed(error, 'NoSuchResourceException')) throw error;
}
