// The parts of a virtual account in which management nodes live: what the stack would have made.

import {
  AttachInternetGatewayCommand,
  CreateInternetGatewayCommand,
  CreateSecurityGroupCommand,
  CreateSubnetCommand,
  CreateVpcCommand,
  type EC2Client,
} from '@aws-sdk/client-ec2';
import {
  AddRoleToInstanceProfileCommand,
  CreateInstanceProfileCommand,
  CreateRoleCommand,
  IAMClient,
} from '@aws-sdk/client-iam';
import type { Ec2MachineSettings } from '../../adapters/ec2-launch.ts';
import type { Moto } from '../moto/start-moto.ts';

/** Makes a network with a subnet in each of these zones, and an instance profile. */
export async function makeNodeNetwork(
  moto: Moto,
  ec2: EC2Client,
  zones: readonly string[],
): Promise<Ec2MachineSettings> {
  const { Vpc } = await ec2.send(new CreateVpcCommand({ CidrBlock: '10.0.0.0/16' }));
  const { InternetGateway } = await ec2.send(new CreateInternetGatewayCommand({}));
  await ec2.send(
    new AttachInternetGatewayCommand({
      VpcId: Vpc?.VpcId,
      InternetGatewayId: InternetGateway?.InternetGatewayId,
    }),
  );
  const subnetIds: string[] = [];
  for (const [index, AvailabilityZone] of zones.entries()) {
    const { Subnet } = await ec2.send(
      new CreateSubnetCommand({ VpcId: Vpc?.VpcId, AvailabilityZone, CidrBlock: `10.0.${index * 16}.0/20` }),
    );
    subnetIds.push(Subnet?.SubnetId ?? '');
  }
  const { GroupId = '' } = await ec2.send(
    new CreateSecurityGroupCommand({
      VpcId: Vpc?.VpcId,
      GroupName: 'nodes',
      Description: 'Management nodes',
    }),
  );
  return {
    subnetIds,
    securityGroupId: GroupId,
    instanceProfile: await makeProfile(moto),
    publicAddresses: true,
  };
}

async function makeProfile(moto: Moto): Promise<string> {
  const iam = new IAMClient(moto.config);
  const name = 'petra-node';
  await iam.send(new CreateRoleCommand({ RoleName: name, AssumeRolePolicyDocument: '{}' }));
  await iam.send(new CreateInstanceProfileCommand({ InstanceProfileName: name }));
  await iam.send(new AddRoleToInstanceProfileCommand({ InstanceProfileName: name, RoleName: name }));
  iam.destroy();
  return name;
}
