import { DescribeImagesCommand, type EC2Client } from '@aws-sdk/client-ec2';
import { GetParameterCommand, type SSMClient } from '@aws-sdk/client-ssm';
import { PetraError } from '../core/errors.ts';
import type { Architecture } from '../core/ports.ts';
import { isNamed } from './aws-errors.ts';

/** For an architecture an AMI's id, or the name of an SSM parameter which holds one. */
export type NodeImageSettings = { readonly [architecture in Architecture]?: string };

export interface NodeImage {
  readonly id: string;
  /** The device of its system volume, which differs between distributions. */
  readonly rootDevice: string;
}

/** Amazon Linux 2023 in its newest release, by the public parameters that AWS keeps in each region. */
const newestAmazonLinux: Readonly<Record<Architecture, string>> = {
  amd64: '/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64',
  arm64: '/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-arm64',
};

const architecturesOfEc2: Readonly<Record<Architecture, string>> = { amd64: 'x86_64', arm64: 'arm64' };

/** The image from which a management node of this architecture boots. @throws ImageNotFound, and the SDK's own errors */
export async function findNodeImage(
  clients: { readonly ec2: EC2Client; readonly ssm: SSMClient },
  region: string,
  architecture: Architecture,
  settings: NodeImageSettings,
): Promise<NodeImage> {
  const setting = settings[architecture] ?? newestAmazonLinux[architecture];
  const notFound = (why: string, cause?: unknown) =>
    new PetraError('ImageNotFound', `no image for ${architecture} nodes in ${region}: ${why}`, { cause });
  const id = setting.startsWith('ami-') ? setting : await parameter(clients.ssm, setting, notFound);
  try {
    const { Images } = await clients.ec2.send(new DescribeImagesCommand({ ImageIds: [id] }));
    const image = Images?.[0];
    if (image?.State !== 'available') throw notFound(`${id} is ${image?.State ?? 'not there'}`);
    if (image.Architecture !== architecturesOfEc2[architecture])
      throw notFound(`${id} is for ${image.Architecture}`);
    return { id, rootDevice: image.RootDeviceName ?? '/dev/xvda' };
  } catch (error) {
    if (isNamed(error, 'InvalidAMIID.NotFound', 'InvalidAMIID.Malformed', 'InvalidAMIID.Unavailable'))
      throw notFound(error.message, error);
    throw error;
  }
}

async function parameter(
  client: SSMClient,
  name: string,
  notFound: (why: string, cause?: unknown) => PetraError,
): Promise<string> {
  try {
    const { Parameter } = await client.send(new GetParameterCommand({ Name: name }));
    if (Parameter?.Value?.startsWith('ami-')) return Parameter.Value;
    throw notFound(`the parameter ${name} does not hold an AMI's id`);
  } catch (error) {
    if (isNamed(error, 'ParameterNotFound', 'ParameterVersionNotFound'))
      throw notFound(`there is no parameter ${name}`, error);
    throw error;
  }
}
