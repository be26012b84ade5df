// Where management nodes live, and where the functions live that talk to them.
//
// Nodes are in public subnets: a public address of their own costs less than a NAT gateway per zone, and no rule lets
// anything in from the internet. Functions that talk to Kubernetes are in isolated subnets, whose routes lead to
// DynamoDB, S3 and Secrets Manager, to the nodes, and nowhere else.

import { ArnFormat, Fn, Stack } from 'aws-cdk-lib';
import {
  GatewayVpcEndpoint,
  GatewayVpcEndpointAwsService,
  InterfaceVpcEndpoint,
  InterfaceVpcEndpointAwsService,
  IpAddresses,
  type IVpc,
  Peer,
  Port,
  SecurityGroup,
  SubnetType,
  Vpc,
} from 'aws-cdk-lib/aws-ec2';
import { AnyPrincipal, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { acknowledge } from './acknowledge.ts';
import { actionsInsideNetwork, type FunctionActions } from './function-actions.ts';
import type { NewNetwork, PetraSettings } from './settings.ts';
import type { Storage } from './storage.ts';

export class Network extends Construct {
  readonly nodeSubnetIds: readonly string[];
  readonly functionSubnetIds: readonly string[];
  readonly nodeGroup: SecurityGroup;
  readonly functionGroup: SecurityGroup;

  constructor(scope: Construct, settings: PetraSettings, storage: Storage, functions: FunctionActions) {
    super(scope, 'Network');
    const { network } = settings;
    if ('vpcId' in network) {
      // Only its id is used; the class wants a zone as well.
      const { vpcId } = network;
      const vpc = Vpc.fromVpcAttributes(this, 'Vpc', { vpcId, availabilityZones: ['unused'] });
      ({ nodes: this.nodeGroup, functions: this.functionGroup } = securityGroups(this, vpc));
      this.nodeSubnetIds = network.nodeSubnetIds;
      this.functionSubnetIds = network.functionSubnetIds;
    } else {
      const vpc = newVpc(this, network);
      ({ nodes: this.nodeGroup, functions: this.functionGroup } = securityGroups(this, vpc));
      this.nodeSubnetIds = vpc.publicSubnets.map(({ subnetId }) => subnetId);
      this.functionSubnetIds = vpc.isolatedSubnets.map(({ subnetId }) => subnetId);
      gatewayEndpoints(this, vpc, storage, functions);
      const zones = network.secretsEndpointZones;
      const endpoint = { zones, fips: settings.fipsEndpoints };
      secretsEndpoint(this, vpc, endpoint, [this.functionGroup, this.nodeGroup], functions);
    }
  }
}

function newVpc(scope: Construct, { cidr, zones, flowLogs }: NewNetwork): IVpc {
  const vpc = new Vpc(scope, 'Vpc', {
    ipAddresses: IpAddresses.cidr(cidr),
    availabilityZones: Array.from({ length: zones }, (_, index) => Fn.select(index, Fn.getAzs())),
    natGateways: 0,
    subnetConfiguration: [
      // Who launches a machine here says whether it gets a public address.
      { name: 'Nodes', subnetType: SubnetType.PUBLIC, cidrMask: 24, mapPublicIpOnLaunch: false },
      { name: 'Functions', subnetType: SubnetType.PRIVATE_ISOLATED, cidrMask: 26 },
    ],
    // CloudFormation cannot empty the default group; the CDK does it with a function that may change security groups,
    // which would be the widest role in the stack. Nothing is in that group: everything here names its own.
    restrictDefaultSecurityGroup: false,
  });
  if (flowLogs) vpc.addFlowLog('FlowLog');
  else {
    acknowledge(vpc, {
      'AwsSolutions-VPC7': 'Flow logs cost by traffic; `-c flowLogs=true` turns them on.',
    });
  }
  // The CDK's class does not fit its own interface where an optional field may not be undefined.
  return vpc as IVpc;
}

function securityGroups(scope: Construct, vpc: IVpc) {
  const nodes = new SecurityGroup(scope, 'Nodes', {
    vpc,
    description: 'Petra: management nodes',
    // Releases, images, AWS, and the APIs of workload clusters, wherever they are.
    allowAllOutbound: true,
  });
  nodes.addIngressRule(nodes, Port.allTraffic(), 'nodes among themselves');
  const functions = new SecurityGroup(scope, 'Functions', {
    vpc,
    description: 'Petra: functions that talk to Kubernetes',
    allowAllOutbound: false,
  });
  const kubernetes = Port.tcp(6443);
  nodes.addIngressRule(functions, kubernetes, 'Kubernetes API, for functions');
  functions.addEgressRule(nodes, kubernetes, 'Kubernetes API of management nodes');
  // The prefix lists of S3 and DynamoDB would be narrower, but their ids differ by region and CloudFormation cannot
  // look them up. The routes decide where this leads: to those two and the endpoint.
  functions.addEgressRule(Peer.anyIpv4(), Port.tcp(443), 'DynamoDB, S3, Secrets Manager');
  return { nodes, functions };
}

/** Not for the nodes' subnets: nodes fetch packages and images from buckets that the policy here would refuse. */
function gatewayEndpoints(scope: Construct, vpc: IVpc, storage: Storage, functions: FunctionActions): void {
  const subnets = [{ subnets: vpc.isolatedSubnets }];
  const { S3, DYNAMODB } = GatewayVpcEndpointAwsService;
  new GatewayVpcEndpoint(scope, 'S3', { vpc, service: S3, subnets }).addToPolicy(
    ofThisAccount(scope, actionsInsideNetwork(functions, 's3'), [
      storage.bucket.bucketArn,
      storage.bucket.arnForObjects('*'),
    ]),
  );
  new GatewayVpcEndpoint(scope, 'DynamoDb', { vpc, service: DYNAMODB, subnets }).addToPolicy(
    ofThisAccount(scope, actionsInsideNetwork(functions, 'dynamodb'), [
      storage.table.tableArn,
      `${storage.table.tableArn}/index/*`,
    ]),
  );
}

/**
 * An interface is paid by the hour in each zone, and functions of all zones reach one. While its zone is down,
 * operations wait, then fail, and the same command continues them; `secretsEndpointZones` buys more.
 */
function secretsEndpoint(
  scope: Construct,
  vpc: IVpc,
  { zones, fips }: { readonly zones: number; readonly fips: boolean },
  callers: readonly SecurityGroup[],
  functions: FunctionActions,
): void {
  const group = new SecurityGroup(scope, 'SecretsEndpoint', {
    vpc,
    description: 'Petra: endpoint of Secrets Manager',
    allowAllOutbound: false,
  });
  // The endpoint takes the service's name over in the whole VPC, so nodes come here as well.
  for (const caller of callers) group.addIngressRule(caller, Port.tcp(443), 'HTTPS');
  const endpoint = new InterfaceVpcEndpoint(scope, 'SecretsManager', {
    vpc,
    service: new InterfaceVpcEndpointAwsService(fips ? 'secretsmanager-fips' : 'secretsmanager'),
    subnets: { subnets: vpc.isolatedSubnets.slice(0, zones) },
    securityGroups: [group],
    open: false,
    privateDnsEnabled: true,
  });
  const nodes = ['secretsmanager:GetSecretValue', 'secretsmanager:PutSecretValue'];
  const all = new Set([...actionsInsideNetwork(functions, 'secretsmanager'), ...nodes]);
  // Lists belong to no secret; what a function sees of them is names and tags.
  const list = 'secretsmanager:ListSecrets';
  if (all.delete(list)) endpoint.addToPolicy(ofThisAccount(scope, [list], ['*']));
  const petraSecrets = Stack.of(scope).formatArn({
    service: 'secretsmanager',
    resource: 'secret',
    resourceName: 'petra/*',
    arnFormat: ArnFormat.COLON_RESOURCE_NAME,
  });
  endpoint.addToPolicy(ofThisAccount(scope, [...all].sort(), [petraSecrets]));
}

/** What passes an endpoint, besides what the caller's own role allows. */
function ofThisAccount(scope: Construct, actions: readonly string[], resources: readonly string[]) {
  return new PolicyStatement({
    principals: [new AnyPrincipal()],
    actions: [...actions],
    resources: [...resources],
    conditions: { StringEquals: { 'aws:PrincipalAccount': Stack.of(scope).account } },
  });
}
