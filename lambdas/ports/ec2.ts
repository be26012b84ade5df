import { connectEc2 } from '../../adapters/ec2-client.ts';
import { Ec2Machines } from '../../adapters/ec2-machines.ts';
import { Ec2Networks } from '../../adapters/ec2-networks.ts';
import { perRegion } from '../../adapters/per-region.ts';
import { connectSsm } from '../../adapters/ssm-client.ts';
import { SsmNodeDiagnosis } from '../../adapters/ssm-node-diagnosis.ts';
import { PetraError } from '../../core/errors.ts';
import type { Machines, Networks, NodeDiagnosis } from '../../core/ports.ts';
import { optionalEnv, requireEnv } from '../env.ts';

export function machines(): Machines {
  const clients = {
    ec2: perRegion((region) => connectEc2({ region })),
    ssm: perRegion((region) => connectSsm({ region })),
  };
  const volumeKmsKeyId = optionalEnv('NODE_VOLUME_KEY');
  return new Ec2Machines(clients, {
    ...nodeNetwork(),
    instanceProfile: requireEnv('NODE_INSTANCE_PROFILE'),
    images: { amd64: requireEnv('NODE_IMAGE_AMD64'), arm64: requireEnv('NODE_IMAGE_ARM64') },
    ...(volumeKmsKeyId === undefined ? {} : { volumeKmsKeyId }),
  });
}

export function networks(): Networks {
  return new Ec2Networks(
    perRegion((region) => connectEc2({ region })),
    nodeNetwork(),
    perRegion((region) => connectEc2({ region, maxAttempts: 1 })),
  );
}

export function diagnosis(): NodeDiagnosis {
  return new SsmNodeDiagnosis(perRegion((region) => connectSsm({ region })));
}

function nodeNetwork() {
  return {
    subnetIds: requireEnv('NODE_SUBNETS').split(','),
    securityGroupId: requireEnv('NODE_SECURITY_GROUP'),
    publicAddresses: isTrue('NODE_PUBLIC_ADDRESSES', requireEnv('NODE_PUBLIC_ADDRESSES')),
  };
}

function isTrue(name: string, text: string): boolean {
  if (text === 'true' || text === 'false') return text === 'true';
  throw new PetraError('InternalError', `${name} is "${text}", not true or false`);
}
