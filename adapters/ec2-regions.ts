// What a region has, asked of EC2. Errors are the SDK's own.

import {
  DescribeAvailabilityZonesCommand,
  type EC2Client,
  paginateDescribeInstanceTypeOfferings,
  paginateDescribeInstanceTypes,
} from '@aws-sdk/client-ec2';
import type { Architecture, InstanceType } from '../core/ports.ts';

const architectures: Readonly<Record<string, Architecture>> = { x86_64: 'amd64', arm64: 'arm64' };

/** Availability zones that are on for the account; no Local Zones, which neither k3s nor CAPA is set up for. */
export async function zonesOf(client: EC2Client): Promise<readonly string[]> {
  const { AvailabilityZones = [] } = await client.send(
    new DescribeAvailabilityZonesCommand({
      Filters: [
        { Name: 'zone-type', Values: ['availability-zone'] },
        { Name: 'state', Values: ['available'] },
      ],
    }),
  );
  return AvailabilityZones.filter(({ OptInStatus }) => OptInStatus !== 'not-opted-in')
    .flatMap(({ ZoneName }) => ZoneName ?? [])
    .sort();
}

/** For each type the zones that offer it. */
export async function offeringsOf(
  client: EC2Client,
  instanceTypes: readonly string[],
): Promise<ReadonlyMap<string, readonly string[]>> {
  const offered = new Map(instanceTypes.map((type) => [type, new Set<string>()]));
  // A filter without values is an error.
  if (instanceTypes.length === 0) return new Map();
  const filters = [{ Name: 'instance-type', Values: [...instanceTypes] }];
  // Local Zones are among the answers.
  const [zones] = await Promise.all([
    zonesOf(client),
    (async () => {
      const pages = paginateDescribeInstanceTypeOfferings(
        { client },
        { LocationType: 'availability-zone', Filters: filters },
      );
      for await (const { InstanceTypeOfferings = [] } of pages)
        for (const { InstanceType: type, Location } of InstanceTypeOfferings)
          if (type !== undefined && Location !== undefined) offered.get(type)?.add(Location);
    })(),
  ]);
  return new Map([...offered].map(([type, places]) => [type, zones.filter((zone) => places.has(zone))]));
}

/** What the types are. A filter, because a list of names with one unknown would be refused whole. */
export async function typesOf(
  client: EC2Client,
  instanceTypes: readonly string[],
): Promise<ReadonlyMap<string, InstanceType>> {
  const types = new Map<string, InstanceType>();
  if (instanceTypes.length === 0) return types;
  const Filters = [{ Name: 'instance-type', Values: [...instanceTypes] }];
  for await (const page of paginateDescribeInstanceTypes({ client }, { Filters }))
    for (const { InstanceType: type, VCpuInfo, ProcessorInfo } of page.InstanceTypes ?? []) {
      const architecture = ProcessorInfo?.SupportedArchitectures?.flatMap(
        (one) => architectures[one] ?? [],
      )[0];
      const vcpus = VCpuInfo?.DefaultVCpus;
      if (type !== undefined && vcpus !== undefined && architecture !== undefined)
        types.set(type, { vcpus, architecture });
    }
  return types;
}
