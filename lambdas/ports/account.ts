import { connectEc2 } from '../../adapters/ec2-client.ts';
import { connectIam } from '../../adapters/iam-client.ts';
import { IamPermissions } from '../../adapters/iam-permissions.ts';
import { connectLoadBalancing } from '../../adapters/load-balancing-client.ts';
import { perRegion } from '../../adapters/per-region.ts';
import { ServiceQuotas } from '../../adapters/service-quotas.ts';
import { connectServiceQuotas } from '../../adapters/service-quotas-client.ts';
import type { Permissions, Quotas } from '../../core/ports.ts';
import { requireEnv } from '../env.ts';

export function quotas(): Quotas {
  return new ServiceQuotas({
    quotas: perRegion((region) => connectServiceQuotas({ region })),
    ec2: perRegion((region) => connectEc2({ region })),
    loadBalancing: perRegion((region) => connectLoadBalancing({ region })),
  });
}

export function permissions(): Permissions {
  return new IamPermissions(connectIam(), requireEnv('CAPA_ROLE'));
}
