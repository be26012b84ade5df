// How Petra marks what it makes on EC2, and finds it again.

import type { Filter, ResourceType, Tag, TagSpecification } from '@aws-sdk/client-ec2';

interface Marked {
  readonly cluster: string;
  readonly uid: string;
  /** Name of the machine, or of the interface. */
  readonly name: string;
  readonly role?: string;
}

/** The same tags for each of the resources that one call makes. */
export function tagged(owner: Marked, ...types: ResourceType[]): TagSpecification[] {
  const Tags: Tag[] = [
    { Key: 'petra.sh/uid', Value: owner.uid },
    { Key: 'petra.sh/cluster', Value: owner.cluster },
    { Key: 'petra.sh/node', Value: owner.name },
    ...(owner.role === undefined ? [] : [{ Key: 'petra.sh/role', Value: owner.role }]),
    { Key: 'Name', Value: `${owner.cluster}-${owner.name}` },
  ];
  return types.map((ResourceType) => ({ ResourceType, Tags }));
}

/** Finds what a cluster has, or what it has under one name. */
export function filtersFor(owner: { readonly uid: string; readonly name?: string }): Filter[] {
  const byName = owner.name === undefined ? [] : [{ Name: 'tag:petra.sh/node', Values: [owner.name] }];
  return [{ Name: 'tag:petra.sh/uid', Values: [owner.uid] }, ...byName];
}

export function tagOf(
  resource: { readonly Tags?: readonly Tag[] | undefined; readonly TagSet?: readonly Tag[] | undefined },
  key: string,
): string | undefined {
  return [...(resource.Tags ?? []), ...(resource.TagSet ?? [])].find(({ Key }) => Key === key)?.Value;
}
