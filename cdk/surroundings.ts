// What the functions are told of the rest of the stack: values of variables, and ARNs for what they may do.

import { ArnFormat, Aws, Stack } from 'aws-cdk-lib';
import type { IEventBus } from 'aws-cdk-lib/aws-events';
import type { Construct } from 'constructs';
import type { Network } from './network.ts';
import type { NodeRoles } from './node-roles.ts';
import type { FunctionSurroundings } from './petra-function.ts';
import type { PetraSettings } from './settings.ts';
import type { Storage } from './storage.ts';
import { stateMachineName } from './workflow.ts';

/** Verbs of operations. Functions start their machines; the one of reconciliation is the scheduler's alone. */
export const operationVerbs = ['init', 'create', 'delete', 'destroy'];

export function functionSurroundings(
  scope: Construct,
  settings: PetraSettings,
  bundles: string,
  parts: {
    readonly storage: Storage;
    readonly network: Network;
    readonly nodeRoles: NodeRoles;
    readonly eventBus: IEventBus;
  },
): FunctionSurroundings {
  const { storage, network, nodeRoles, eventBus } = parts;
  const machines = operationVerbs.map(
    (verb) => [`${verb.toUpperCase()}_STATE_MACHINE`, stateMachineName(scope, verb)] as const,
  );
  const { kmsKeyArn, nodeImages } = settings;
  return {
    bundles,
    subnetIds: network.functionSubnetIds,
    securityGroupId: network.functionGroup.securityGroupId,
    logRetentionDays: settings.logRetentionDays,
    fipsEndpoints: settings.fipsEndpoints,
    variables: {
      FLEET_TABLE: storage.table.tableName,
      ARTIFACTS_BUCKET: storage.bucket.bucketName,
      EVENT_BUS: eventBus.eventBusName,
      // By name and not by reference: machines name their functions, and these name machines.
      ...Object.fromEntries(machines.map(([variable, name]) => [variable, stateMachineArn(scope, name)])),
      NODE_SUBNETS: network.nodeSubnetIds.join(','),
      NODE_SECURITY_GROUP: network.nodeGroup.securityGroupId,
      NODE_INSTANCE_PROFILE: nodeRoles.managementProfile.instanceProfileArn,
      NODE_IMAGE_AMD64: nodeImages.amd64,
      NODE_IMAGE_ARM64: nodeImages.arm64,
      NODE_PUBLIC_ADDRESSES: String(settings.nodePublicAddresses),
      NODE_VOLUME_KEY: kmsKeyArn,
      SECRETS_KEY: kmsKeyArn,
      CAPA_ROLE: nodeRoles.managementRole.roleArn,
      RELEASES_URL: settings.releasesUrl,
      K3S_RELEASES_URL: settings.k3sReleasesUrl,
      PETRA_MODE: Aws.PARTITION,
      PETRA_VERSION: settings.version,
    },
    resources: {
      tableArn: storage.table.tableArn,
      bucketArn: storage.bucket.bucketArn,
      eventBusArn: eventBus.eventBusArn,
      nodeSubnetIds: network.nodeSubnetIds,
      nodeGroupId: network.nodeGroup.securityGroupId,
      nodeRoleArn: nodeRoles.managementRole.roleArn,
      nodeProfileArn: nodeRoles.managementProfile.instanceProfileArn,
      nodeImages: Object.values(nodeImages),
      stateMachineNames: Object.fromEntries(machines),
      ...(kmsKeyArn === undefined ? {} : { kmsKeyArn }),
    },
  };
}

function stateMachineArn(scope: Construct, name: string): string {
  return Stack.of(scope).formatArn({
    service: 'states',
    resource: 'stateMachine',
    resourceName: name,
    arnFormat: ArnFormat.COLON_RESOURCE_NAME,
  });
}
