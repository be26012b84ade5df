// The load balancers that Cluster API's provider for AWS made, and whom they lead to.

import {
  DescribeTagsCommand,
  DescribeTargetGroupsCommand,
  DescribeTargetHealthCommand,
  type ElasticLoadBalancingV2Client,
  paginateDescribeLoadBalancers,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { capaTag } from '../../core/capi/capa-tag.ts';

/** The cluster that something with these tags belongs to. */
export function ownerOf(
  tags: readonly { readonly Key?: string | undefined }[] | undefined,
): string | undefined {
  const prefix = capaTag('').key;
  return tags?.find(({ Key }) => Key?.startsWith(prefix))?.Key?.slice(prefix.length);
}

export interface Balancer {
  readonly arn: string;
  /** Its DNS name, which is an address here (test/moto/cluster_api_provider.py). */
  readonly address: string;
}

/** DescribeTags takes no more. */
const tagsAtOnce = 20;

/** Balancers of a region by the cluster that owns them. */
export async function balancersByCluster(
  client: ElasticLoadBalancingV2Client,
): Promise<ReadonlyMap<string, Balancer>> {
  const addresses = new Map<string, string>();
  for await (const { LoadBalancers = [] } of paginateDescribeLoadBalancers({ client }, {})) {
    for (const { LoadBalancerArn, DNSName } of LoadBalancers)
      if (LoadBalancerArn && DNSName) addresses.set(LoadBalancerArn, DNSName);
  }
  const found = new Map<string, Balancer>();
  const arns = [...addresses.keys()];
  for (let from = 0; from < arns.length; from += tagsAtOnce) {
    const ResourceArns = arns.slice(from, from + tagsAtOnce);
    const { TagDescriptions = [] } = await client.send(new DescribeTagsCommand({ ResourceArns }));
    for (const { ResourceArn: arn = '', Tags = [] } of TagDescriptions) {
      const owner = ownerOf(Tags);
      const address = addresses.get(arn);
      if (owner !== undefined && address !== undefined) found.set(owner, { arn, address });
    }
  }
  return found;
}

/** Whether a target group of the balancer has the instance. */
export async function leadsTo(
  client: ElasticLoadBalancingV2Client,
  { arn }: Balancer,
  instanceId: string,
): Promise<boolean> {
  const { TargetGroups = [] } = await client.send(new DescribeTargetGroupsCommand({ LoadBalancerArn: arn }));
  for (const { TargetGroupArn } of TargetGroups) {
    const request = new DescribeTargetHealthCommand({ TargetGroupArn });
    const { TargetHealthDescriptions = [] } = await client.send(request);
    if (TargetHealthDescriptions.some(({ Target }) => Target?.Id === instanceId)) return true;
  }
  return false;
}
