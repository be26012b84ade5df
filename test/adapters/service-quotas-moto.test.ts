import {
  CreateNatGatewayCommand,
  CreateVpcCommand,
  DeleteNatGatewayCommand,
  type EC2Client,
  RunInstancesCommand,
} from '@aws-sdk/client-ec2';
import { CreateLoadBalancerCommand } from '@aws-sdk/client-elastic-load-balancing-v2';
import type { ServiceQuotasClient } from '@aws-sdk/client-service-quotas';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectEc2 } from '../../adapters/ec2-client.ts';
import type { Ec2MachineSettings } from '../../adapters/ec2-launch.ts';
import { Ec2Machines } from '../../adapters/ec2-machines.ts';
import { Ec2Networks } from '../../adapters/ec2-networks.ts';
import { connectLoadBalancing } from '../../adapters/load-balancing-client.ts';
import { ServiceQuotas } from '../../adapters/service-quotas.ts';
import { connectServiceQuotas } from '../../adapters/service-quotas-client.ts';
import { connectSsm } from '../../adapters/ssm-client.ts';
import type { QuotaName } from '../../core/ports.ts';
import { type Moto, startMoto } from '../moto/start-moto.ts';
import { makeNodeNetwork } from './moto-network.ts';
import { quotasContract } from './quotas.contract.ts';

const region = 'eu-central-1';
let moto: Moto;
let client: EC2Client;
let settings: Ec2MachineSettings;

beforeAll(async () => {
  moto = await startMoto({ region });
  client = connectEc2(moto.config);
  settings = await makeNodeNetwork(moto, client, ['eu-central-1a', 'eu-central-1b']);
});
afterAll(async () => {
  client?.destroy();
  await moto?.stop();
});

/** As the SDK makes it: a fault of the service is known by its status alone. */
function refusal(name: string): Error {
  const httpStatusCode = name === 'ServiceException' ? 500 : 400;
  return Object.assign(new Error(name), { name, $metadata: { httpStatusCode } });
}

interface Question {
  readonly command: string;
  readonly code: string;
}

/** A client of Service Quotas whose limits a test says: a number, or the name of an error. */
function limitsBy(answer: (question: Question) => number | string | undefined): ServiceQuotasClient {
  const quotas = connectServiceQuotas(moto.config);
  quotas.middlewareStack.add(
    (next, context) => async (call) => {
      const code = 'QuotaCode' in call.input ? (call.input.QuotaCode ?? '') : '';
      const said = answer({ command: context.commandName ?? '', code });
      if (typeof said === 'string') throw refusal(said);
      if (said === undefined) return next(call);
      return { output: { $metadata: {}, Quota: { Value: said } }, response: {} };
    },
    { step: 'initialize' },
  );
  return quotas;
}

function quotasBy(quotas: ServiceQuotasClient): ServiceQuotas {
  const loadBalancing = connectLoadBalancing(moto.config);
  return new ServiceQuotas({
    quotas: () => quotas,
    ec2: () => client,
    loadBalancing: () => loadBalancing,
  });
}

// moto knows the quotas of VPC only.
const ofVpc = ['L-FE5A380F', 'L-F678F1CE', 'L-A4707A72'];
function limitsOfMoto(): ServiceQuotasClient {
  return limitsBy(({ code }) => (ofVpc.includes(code) ? undefined : 64));
}

async function used(name: QuotaName): Promise<number> {
  return (await quotasBy(limitsOfMoto()).read(region, [name])).get(name)?.used ?? Number.NaN;
}

quotasContract('Service Quotas (moto)', async () => {
  const ssm = connectSsm(moto.config);
  return {
    quotas: quotasBy(limitsOfMoto()),
    machines: new Ec2Machines({ ec2: () => client, ssm: () => ssm }, { ...settings, images: {} }),
    networks: new Ec2Networks(() => client, settings),
    region,
    instanceType: 'm5a.large',
  };
});

describe('the limit of a quota', () => {
  it("is AWS's default where the account has no value of its own", async () => {
    const quotas = limitsBy(({ command }) =>
      command === 'GetServiceQuotaCommand' ? 'NoSuchResourceException' : 5,
    );
    expect((await quotasBy(quotas).read(region, ['vpcs'])).get('vpcs')?.limit).toBe(5);
  });

  it('is absent where the service does not know it', async () => {
    const quotas = limitsBy(({ code }) => (code === 'L-F678F1CE' ? 'NoSuchResourceException' : 20));
    const read = await quotasBy(quotas).read(region, ['vpcs', 'elasticIps']);
    expect([...read.keys()]).toEqual(['elasticIps']);
  });

  it.each([
    ['AccessDeniedException', 'AwsAccessDenied'],
    ['TooManyRequestsException', 'Throttled'],
    ['ServiceException', 'AwsUnavailable'],
  ])('that may not be read is an error: %s', async (name, code) => {
    await expect(quotasBy(limitsBy(() => name)).read(region, ['vpcs'])).rejects.toMatchObject({ code });
  });
});

describe('the use of a quota', () => {
  async function run(InstanceType: 'inf1.xlarge' | 'c5.4xlarge' | 'i4i.xlarge', change: object = {}) {
    await client.send(
      new RunInstancesCommand({ ImageId: 'ami-12c6146b', InstanceType, MinCount: 1, MaxCount: 1, ...change }),
    );
  }

  it('counts vCPUs of standard families, not of others and not of Spot', async () => {
    const before = await used('standardVcpus');
    await run('c5.4xlarge', { MaxCount: 2, MinCount: 2 });
    await run('i4i.xlarge');
    await run('inf1.xlarge');
    await run('c5.4xlarge', { InstanceMarketOptions: { MarketType: 'spot' } });
    expect(await used('standardVcpus')).toBe(before + 16 + 16 + 4);
  });

  it('counts NAT gateways of the zone that has most, and none that are gone', async () => {
    const [a = '', b = ''] = settings.subnetIds;
    const made: string[] = [];
    for (const SubnetId of [a, a, b]) {
      const { NatGateway } = await client.send(
        new CreateNatGatewayCommand({ SubnetId, ConnectivityType: 'private' }),
      );
      made.push(NatGateway?.NatGatewayId ?? '');
    }
    expect(await used('natGatewaysPerZone')).toBe(2);
    await client.send(new DeleteNatGatewayCommand({ NatGatewayId: made[0] }));
    await expect.poll(() => used('natGatewaysPerZone'), { timeout: 20_000 }).toBe(1);
  });

  it('counts VPCs and internet gateways', async () => {
    const before = await used('vpcs');
    await client.send(new CreateVpcCommand({ CidrBlock: '10.9.0.0/16' }));
    expect(await used('vpcs')).toBe(before + 1);
    expect(await used('internetGateways')).toBe(1);
  });

  it('counts network load balancers only', async () => {
    const balancing = connectLoadBalancing(moto.config);
    const subnets = [...settings.subnetIds];
    await balancing.send(new CreateLoadBalancerCommand({ Name: 'one', Type: 'network', Subnets: subnets }));
    await balancing.send(
      new CreateLoadBalancerCommand({ Name: 'two', Type: 'application', Subnets: subnets }),
    );
    expect(await used('networkLoadBalancers')).toBe(1);
  });
});
