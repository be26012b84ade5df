import { connectEc2 } from '../../adapters/ec2-client.ts';
import { connectLoadBalancing } from '../../adapters/load-balancing-client.ts';
import { perRegion } from '../../adapters/per-region.ts';
import { connectSecretsManager } from '../../adapters/secrets-manager-client.ts';
import { connectTagging } from '../../adapters/tagging-client.ts';
import { TaggingTaggedResources } from '../../adapters/tagging-tagged-resources.ts';
import type { TaggedResources } from '../../core/ports.ts';
import { requireEnv } from '../env.ts';

export function tagged(): TaggedResources {
  const clients = {
    tagging: perRegion((region) => connectTagging({ region })),
    ec2: perRegion((region) => connectEc2({ region })),
    loadBalancing: perRegion((region) => connectLoadBalancing({ region })),
    secrets: perRegion((region) => connectSecretsManager({ region })),
  };
  return new TaggingTaggedResources(clients, requireEnv('AWS_REGION'));
}
