import {
  ElasticLoadBalancingV2Client,
  type ElasticLoadBalancingV2ClientConfig,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { awsCalls } from './aws-calls.ts';

/** A client of Elastic Load Balancing; `config` may name a region or an endpoint. */
export function connectLoadBalancing(
  config: ElasticLoadBalancingV2ClientConfig = {},
): ElasticLoadBalancingV2Client {
  return new ElasticLoadBalancingV2Client({ ...awsCalls, ...config });
}
