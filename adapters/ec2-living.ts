// What of EC2 has a tag and lives: each kind is asked of EC2 itself, because what lists all kinds at once
// (DescribeTags, the tagging API) keeps terminated and deleted resources for an hour and more.

import {
  DescribeAddressesCommand,
  type EC2Client,
  type Filter,
  paginateDescribeEgressOnlyInternetGateways,
  paginateDescribeInstances,
  paginateDescribeInternetGateways,
  paginateDescribeLaunchTemplates,
  paginateDescribeNatGateways,
  paginateDescribeNetworkInterfaces,
  paginateDescribeRouteTables,
  paginateDescribeSecurityGroups,
  paginateDescribeSubnets,
  paginateDescribeVolumes,
  paginateDescribeVpcEndpoints,
  paginateDescribeVpcs,
} from '@aws-sdk/client-ec2';

type Ids = readonly (string | undefined)[];
type Look = (client: EC2Client, Filters: Filter[]) => AsyncIterable<Ids>;

/** The kinds that Petra and CAPA make, by their names in tags. What is going away is left out. */
const looks: Readonly<Record<string, Look>> = {
  instance: async function* (client, Filters) {
    for await (const { Reservations = [] } of paginateDescribeInstances({ client }, { Filters })) {
      const instances = Reservations.flatMap(({ Instances = [] }) => Instances);
      yield instances
        .filter(({ State }) => State?.Name !== 'terminated' && State?.Name !== 'shutting-down')
        .map(({ InstanceId }) => InstanceId);
    }
  },
  volume: async function* (client, Filters) {
    for await (const { Volumes = [] } of paginateDescribeVolumes({ client }, { Filters }))
      yield Volumes.filter(({ State }) => State !== 'deleting' && State !== 'deleted').map(
        ({ VolumeId }) => VolumeId,
      );
  },
  natgateway: async function* (client, Filter) {
    for await (const { NatGateways = [] } of paginateDescribeNatGateways({ client }, { Filter }))
      yield NatGateways.filter(({ State }) => State !== 'deleting' && State !== 'deleted').map(
        ({ NatGatewayId }) => NatGatewayId,
      );
  },
  'vpc-endpoint': async function* (client, Filters) {
    // The reference writes the states with a capital, the service answers without.
    for await (const { VpcEndpoints = [] } of paginateDescribeVpcEndpoints({ client }, { Filters }))
      yield VpcEndpoints.filter(({ State }) => !/^delet(?:ing|ed)$/i.test(State ?? '')).map(
        ({ VpcEndpointId }) => VpcEndpointId,
      );
  },
  'network-interface': async function* (client, Filters) {
    for await (const { NetworkInterfaces = [] } of paginateDescribeNetworkInterfaces({ client }, { Filters }))
      yield NetworkInterfaces.map(({ NetworkInterfaceId }) => NetworkInterfaceId);
  },
  'elastic-ip': async function* (client, Filters) {
    const { Addresses = [] } = await client.send(new DescribeAddressesCommand({ Filters }));
    yield Addresses.map(({ AllocationId }) => AllocationId);
  },
  vpc: async function* (client, Filters) {
    for await (const { Vpcs = [] } of paginateDescribeVpcs({ client }, { Filters }))
      yield Vpcs.map(({ VpcId }) => VpcId);
  },
  subnet: async function* (client, Filters) {
    for await (const { Subnets = [] } of paginateDescribeSubnets({ client }, { Filters }))
      yield Subnets.map(({ SubnetId }) => SubnetId);
  },
  'security-group': async function* (client, Filters) {
    for await (const { SecurityGroups = [] } of paginateDescribeSecurityGroups({ client }, { Filters }))
      yield SecurityGroups.map(({ GroupId }) => GroupId);
  },
  'route-table': async function* (client, Filters) {
    for await (const { RouteTables = [] } of paginateDescribeRouteTables({ client }, { Filters }))
      yield RouteTables.map(({ RouteTableId }) => RouteTableId);
  },
  'internet-gateway': async function* (client, Filters) {
    for await (const { InternetGateways = [] } of paginateDescribeInternetGateways({ client }, { Filters }))
      yield InternetGateways.map(({ InternetGatewayId }) => InternetGatewayId);
  },
  'egress-only-internet-gateway': async function* (client, Filters) {
    for await (const page of paginateDescribeEgressOnlyInternetGateways({ client }, { Filters }))
      yield (page.EgressOnlyInternetGateways ?? []).map(
        ({ EgressOnlyInternetGatewayId }) => EgressOnlyInternetGatewayId,
      );
  },
  'launch-template': async function* (client, Filters) {
    for await (const { LaunchTemplates = [] } of paginateDescribeLaunchTemplates({ client }, { Filters }))
      yield LaunchTemplates.map(({ LaunchTemplateId }) => LaunchTemplateId);
  },
};

/** The ids of what lives of a kind and has the tag; undefined for a kind that Petra cannot look at. */
export async function livingOfKind(
  client: EC2Client,
  kind: string,
  tag: { readonly key: string; readonly value: string },
): Promise<ReadonlySet<string> | undefined> {
  const look = looks[kind];
  if (!look) return undefined;
  const ids = new Set<string>();
  for await (const page of look(client, [{ Name: `tag:${tag.key}`, Values: [tag.value] }])) {
    for (const id of page) if (id !== undefined) ids.add(id);
  }
  return ids;
}
