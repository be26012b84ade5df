// What was launched for a cluster, of instances that live and of those that ended.

import { paginateDescribeInstances } from '@aws-sdk/client-ec2';
import { connectEc2 } from '../../adapters/ec2-client.ts';
import { capaTag } from '../../core/capi/capa-tag.ts';
import type { Moto } from '../moto/start-moto.ts';

/** @throws when another number of machines was launched, or a machine more than once */
export async function expectLaunches(moto: Moto, cluster: string, expected: number): Promise<void> {
  const query = { Filters: [{ Name: 'tag-key', Values: [capaTag(cluster).key] }] };
  const machines: string[] = [];
  for await (const { Reservations = [] } of paginateDescribeInstances(
    { client: connectEc2(moto.config) },
    query,
  ))
    for (const { InstanceId, Tags = [] } of Reservations.flatMap(({ Instances = [] }) => Instances))
      machines.push(Tags.find(({ Key }) => Key === 'Name')?.Value ?? String(InstanceId));
  const isOnceEach = new Set(machines).size === machines.length;
  if (isOnceEach && machines.length === expected) return;
  throw new Error(
    `${cluster} needs ${expected} machines, and ${machines.length} were launched: ${machines.join(', ')}`,
  );
}
