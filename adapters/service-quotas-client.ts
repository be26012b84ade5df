import { ServiceQuotasClient, type ServiceQuotasClientConfig } from '@aws-sdk/client-service-quotas';
import { awsCalls } from './aws-calls.ts';

/** A client of Service Quotas; `config` may name a region or an endpoint. */
export function connectServiceQuotas(config: ServiceQuotasClientConfig = {}): ServiceQuotasClient {
  return new ServiceQuotasClient({ ...awsCalls, ...config });
}
