// What Petra asks EC2 for when it launches a management node.

import { createHash } from 'node:crypto';
import type { BlockDeviceMapping, RunInstancesCommandInput } from '@aws-sdk/client-ec2';
import { packUserData } from '../core/management/user-data-size.ts';
import type { MachineRequest } from '../core/ports.ts';
import { tagged } from './ec2-tags.ts';
import type { NodeImage } from './node-images.ts';

/** Where management nodes live, and as what. Each is read when it is needed, so a getter may refuse it. */
export interface Ec2MachineSettings {
  /** At best one in each of several zones. */
  readonly subnetIds: readonly string[];
  readonly securityGroupId: string;
  /** Name or ARN. */
  readonly instanceProfile: string;
  /** Without one, the account's default key for EBS. */
  readonly volumeKmsKeyId?: string;
  /** Whether nodes reach the world through public addresses of their own. */
  readonly publicAddresses: boolean;
}

/**
 * Enough for what a server keeps: about 3 GiB of system, 6 of k3s and the providers' images, 2 of etcd with up to
 * five snapshots of the same size, 3 of logs. Kubelet begins to remove images at 85 % of use.
 */
const volumeGibibytes = 40;

/** The request, but for its `ClientToken`. `subnetId` is for a machine that does not start on a reserved interface. */
export function launchInput(
  request: MachineRequest,
  settings: Ec2MachineSettings,
  image: NodeImage,
  subnetId: string | undefined,
): RunInstancesCommandInput {
  const { instanceProfile } = settings;
  const onReserved = request.interfaceId !== undefined;
  return {
    MinCount: 1,
    MaxCount: 1,
    ImageId: image.id,
    // EC2 has more types than the SDK's list of the day it was made; the caller has asked for this one.
    InstanceType: request.instanceType as RunInstancesCommandInput['InstanceType'],
    UserData: packUserData(request).toString('base64'),
    IamInstanceProfile: instanceProfile.startsWith('arn:')
      ? { Arn: instanceProfile }
      : { Name: instanceProfile },
    NetworkInterfaces: [
      onReserved
        ? // It stays when the machine ends: only an interface that a launch makes can be told to end with it.
          { DeviceIndex: 0, NetworkInterfaceId: request.interfaceId }
        : {
            DeviceIndex: 0,
            SubnetId: subnetId,
            Groups: [settings.securityGroupId],
            AssociatePublicIpAddress: settings.publicAddresses,
            DeleteOnTermination: true,
          },
    ],
    BlockDeviceMappings: [systemVolume(settings, image)],
    MetadataOptions: {
      HttpEndpoint: 'enabled',
      HttpTokens: 'required',
      // A pod of the pod network is one hop further away, so the machine's credentials do not reach it. CAPA's
      // controller, which works under them, is on the host's network.
      HttpPutResponseHopLimit: 1,
      InstanceMetadataTags: 'disabled',
    },
    // Who shuts a machine down from inside keeps its disk, on which etcd is. Only Petra terminates.
    InstanceInitiatedShutdownBehavior: 'stop',
    // EC2 refuses tags for interfaces when the request makes none.
    TagSpecifications: tagged(
      request,
      'instance',
      'volume',
      ...(onReserved ? [] : ['network-interface' as const]),
    ),
    // No key pair: nobody logs in, Systems Manager is the way in.
  };
}

function systemVolume(settings: Ec2MachineSettings, image: NodeImage): BlockDeviceMapping {
  return {
    DeviceName: image.rootDevice,
    Ebs: {
      VolumeType: 'gp3',
      VolumeSize: volumeGibibytes,
      Encrypted: true,
      ...(settings.volumeKmsKeyId === undefined ? {} : { KmsKeyId: settings.volumeKmsKeyId }),
      DeleteOnTermination: true,
    },
  };
}

/**
 * The `ClientToken` of a launch: EC2 makes one machine for one token in a zone, however often it is asked. A token
 * belongs to its machine until 24 hours after the end of it, so the ends that are known of are part of the next one.
 * At most 64 characters, which these are.
 */
export function launchToken({ uid, name }: MachineRequest, ended: Iterable<string>): string {
  return createHash('sha256')
    .update(JSON.stringify([uid, name, ...[...ended].sort()]))
    .digest('hex');
}
