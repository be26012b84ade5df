import { type EC2Client, paginateDescribeSubnets, type Subnet } from '@aws-sdk/client-ec2';
import { PetraError } from '../core/errors.ts';

/** The subnets of management nodes by availability zone, in the order of the zones' names. */
export async function subnetsByZone(
  client: EC2Client,
  subnetIds: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const subnets: Subnet[] = [];
  for await (const page of paginateDescribeSubnets({ client }, { SubnetIds: [...subnetIds] }))
    subnets.push(...(page.Subnets ?? []));
  const byZone = new Map<string, string>();
  // Of several in one zone always the same is taken: a repetition must come to the subnet of the first time.
  for (const { AvailabilityZone, SubnetId } of subnets.sort(byZoneAndId))
    if (AvailabilityZone !== undefined && SubnetId !== undefined && !byZone.has(AvailabilityZone))
      byZone.set(AvailabilityZone, SubnetId);
  return byZone;
}

/** One of several places by the number in a name: `server-0`, `server-1` and `server-2` are spread over all of them. */
export function placeOf(name: string, places: readonly string[]): string {
  const place = places[Number(/\d+$/.exec(name)?.[0] ?? 0) % places.length];
  if (place === undefined) throw new PetraError('InternalError', `there is no subnet for ${name}`);
  return place;
}

function byZoneAndId(one: Subnet, other: Subnet): number {
  return keyOf(one) < keyOf(other) ? -1 : 1;
}

function keyOf({ AvailabilityZone, SubnetId }: Subnet): string {
  return `${AvailabilityZone} ${SubnetId}`;
}
