import { PutParameterCommand } from '@aws-sdk/client-ssm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectEc2 } from '../../adapters/ec2-client.ts';
import { Ec2Machines } from '../../adapters/ec2-machines.ts';
import type { NodeImageSettings } from '../../adapters/node-images.ts';
import { connectSsm } from '../../adapters/ssm-client.ts';
import { type Moto, startMoto } from '../moto/start-moto.ts';

const region = 'eu-central-1';
let moto: Moto;
beforeAll(async () => {
  moto = await startMoto({ region });
});
afterAll(() => moto?.stop());

function machinesFrom(images: NodeImageSettings): Ec2Machines {
  const [ec2, ssm] = [connectEc2(moto.config), connectSsm(moto.config)];
  const network = { subnetIds: [], securityGroupId: '', instanceProfile: '', publicAddresses: true };
  return new Ec2Machines({ ec2: () => ec2, ssm: () => ssm }, { ...network, images });
}

async function parameter(name: string, value: string): Promise<void> {
  await connectSsm(moto.config).send(new PutParameterCommand({ Name: name, Value: value, Type: 'String' }));
}

describe('the image of management nodes', () => {
  it('is the newest Amazon Linux 2023 unless another is asked for', async () => {
    const newest = await machinesFrom({}).image(region, 'amd64');
    await parameter('/images/amd64', newest);
    expect(await machinesFrom({ amd64: newest }).image(region, 'amd64')).toBe(newest);
    expect(await machinesFrom({ amd64: '/images/amd64' }).image(region, 'amd64')).toBe(newest);
    const forArm = await machinesFrom({ amd64: newest }).image(region, 'arm64');
    expect(forArm).not.toBe(newest);
  });

  it.each([
    ['ami-00000000000000000', 'ami-00000000000000000'],
    ['/images/absent', 'there is no parameter /images/absent'],
    ['/images/text', 'does not hold an AMI'],
    ['/images/gone', 'ami-00000000000000001'],
  ])('is missing where the settings say %s', async (setting, why) => {
    await parameter('/images/text', 'latest').catch(() => undefined);
    await parameter('/images/gone', 'ami-00000000000000001').catch(() => undefined);
    await expect(machinesFrom({ amd64: setting }).image(region, 'amd64')).rejects.toMatchObject({
      code: 'ImageNotFound',
      message: expect.stringContaining(why),
    });
  });

  it('is not one for another architecture', async () => {
    const forArm = await machinesFrom({}).image(region, 'arm64');
    await expect(machinesFrom({ amd64: forArm }).image(region, 'amd64')).rejects.toMatchObject({
      code: 'ImageNotFound',
      message: `no image for amd64 nodes in ${region}: ${forArm} is for arm64`,
    });
  });
});
