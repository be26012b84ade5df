import { type EC2Client, paginateDescribeTags } from '@aws-sdk/client-ec2';
import {
  DescribeListenersCommand,
  DescribeLoadBalancersCommand,
  DescribeTargetGroupsCommand,
  type ElasticLoadBalancingV2Client,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import {
  paginateGetResources,
  type ResourceGroupsTaggingAPIClient,
} from '@aws-sdk/client-resource-groups-tagging-api';
import { DescribeSecretCommand, type SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import type { TaggedResource, TaggedResources } from '../core/ports.ts';
import { translateAwsError } from './aws-errors.ts';
import { livingOfKind } from './ec2-living.ts';

interface Tag {
  readonly key: string;
  readonly value: string;
}

/** Clients by region; see per-region.ts. */
export interface TaggingClients {
  readonly tagging: (region: string) => ResourceGroupsTaggingAPIClient;
  readonly ec2: (region: string) => EC2Client;
  readonly loadBalancing: (region: string) => ElasticLoadBalancingV2Client;
  readonly secrets: (region: string) => SecretsManagerClient;
}

/**
 * What has a tag, by the Resource Groups Tagging API, which knows nearly all services; and by EC2's DescribeTags,
 * which has no delay to speak of. Both also know what is deleted already. So what they find of EC2, load balancers and
 * secrets is looked up, and left out when it is gone or going; what Petra cannot look up is reported.
 *
 * The tagging API finds no Auto Scaling groups, IAM users or IAM roles (its list of supported services says so).
 * Petra and CAPA make none for a cluster.
 */
export class TaggingTaggedResources implements TaggedResources {
  readonly #clients: TaggingClients;
  readonly #secretsRegion: string;

  /** Petra keeps its secrets in `secretsRegion`, wherever a cluster is: there, secrets are searched as well. */
  constructor(clients: TaggingClients, secretsRegion: string) {
    this.#clients = clients;
    this.#secretsRegion = secretsRegion;
  }

  async find(region: string, tag: Tag): Promise<readonly TaggedResource[]> {
    try {
      const [tagged, ofEc2, secrets] = await Promise.all([
        this.#tagged(region, tag),
        this.#taggedOfEc2(region, tag),
        region === this.#secretsRegion
          ? []
          : this.#tagged(this.#secretsRegion, tag, ['secretsmanager:secret']),
      ]);
      const candidates = new Map<string, Candidate>();
      for (const one of [...tagged, ...ofEc2, ...secrets]) candidates.set(`${one.type} ${one.id}`, one);
      return await this.#living(region, tag, [...candidates.values()]);
    } catch (error) {
      throw translateAwsError(error, `look for ${tag.key}=${tag.value} in ${region}`);
    }
  }

  async #tagged(region: string, { key, value }: Tag, types?: string[]): Promise<Candidate[]> {
    const found: Candidate[] = [];
    const query = {
      TagFilters: [{ Key: key, Values: [value] }],
      ResourcesPerPage: 100,
      ...(types === undefined ? {} : { ResourceTypeFilters: types }),
    };
    for await (const page of paginateGetResources({ client: this.#clients.tagging(region) }, query)) {
      for (const { ResourceARN } of page.ResourceTagMappingList ?? [])
        if (ResourceARN !== undefined) found.push(candidateOf(ResourceARN));
    }
    return found;
  }

  async #taggedOfEc2(region: string, { key, value }: Tag): Promise<Candidate[]> {
    const found: Candidate[] = [];
    const Filters = [
      { Name: 'key', Values: [key] },
      { Name: 'value', Values: [value] },
    ];
    for await (const page of paginateDescribeTags({ client: this.#clients.ec2(region) }, { Filters })) {
      for (const { ResourceId, ResourceType } of page.Tags ?? [])
        if (ResourceId && ResourceType) found.push({ type: `ec2:${ResourceType}`, id: ResourceId });
    }
    return found;
  }

  async #living(region: string, tag: Tag, candidates: readonly Candidate[]): Promise<TaggedResource[]> {
    const ofEc2 = Map.groupBy(
      candidates.filter(({ type }) => type.startsWith('ec2:')),
      ({ type }) => type,
    );
    const living: TaggedResource[] = [];
    for (const [type, found] of ofEc2) {
      const ids = await livingOfKind(this.#clients.ec2(region), type.slice('ec2:'.length), tag);
      // What a kind's own list has and the others have not yet is new.
      if (ids) for (const id of ids) living.push({ type, id });
      else living.push(...found.map(({ id }) => ({ type, id })));
    }
    for (const candidate of candidates) {
      const { type, id } = candidate;
      if (!type.startsWith('ec2:') && (await this.#lives(candidate))) living.push({ type, id });
    }
    return living;
  }

  /** Whether something outside EC2 is still there; true for what Petra cannot look up. */
  async #lives({ type, arn, region }: Candidate): Promise<boolean> {
    if (arn === undefined || region === undefined) return true;
    const balancing = () => this.#clients.loadBalancing(region);
    switch (type) {
      case 'secretsmanager:secret': {
        const secrets = this.#clients.secrets(region);
        const secret = await unless('ResourceNotFoundException', () =>
          secrets.send(new DescribeSecretCommand({ SecretId: arn })),
        );
        return secret !== undefined && secret.DeletedDate === undefined;
      }
      case 'elasticloadbalancing:loadbalancer':
        // A classic load balancer has a name where others have a kind, a name and an id. It belongs to another API.
        if (!/:loadbalancer\/(?:app|net|gwy)\//.test(arn)) return true;
        return exists('LoadBalancerNotFoundException', () =>
          balancing().send(new DescribeLoadBalancersCommand({ LoadBalancerArns: [arn] })),
        );
      case 'elasticloadbalancing:targetgroup':
        return exists('TargetGroupNotFoundException', () =>
          balancing().send(new DescribeTargetGroupsCommand({ TargetGroupArns: [arn] })),
        );
      case 'elasticloadbalancing:listener':
        return exists('ListenerNotFoundException', () =>
          balancing().send(new DescribeListenersCommand({ ListenerArns: [arn] })),
        );
      default:
        return true;
    }
  }
}

/** Something found by tag; the ARN is known of what the tagging API found. */
interface Candidate extends TaggedResource {
  readonly arn?: string;
  readonly region?: string;
}

/** `arn:<partition>:<service>:<region>:<account>:<type>/<id>`, or with a colon after the type. */
function candidateOf(arn: string): Candidate {
  const [, , service = '', region = '', , ...rest] = arn.split(':');
  const resource = rest.join(':');
  const [, kind = 'resource', name = resource] = /^([^:/]+)[:/](.+)$/.exec(resource) ?? [];
  return { type: `${service}:${kind}`, id: idOf(service, arn, name), arn, region };
}

function idOf(service: string, arn: string, name: string): string {
  if (service === 'ec2') return name;
  // Secrets Manager adds a hyphen and six characters to the name.
  if (service === 'secretsmanager') return name.replace(/-[^-]{6}$/, '');
  return arn;
}

async function exists(absent: string, look: () => Promise<unknown>): Promise<boolean> {
  return (await unless(absent, look)) !== undefined;
}

/** What was asked for; undefined when the service says that it is not there. */
async function unless<T>(absent: string, look: () => Promise<T>): Promise<T | undefined> {
  try {
    return await look();
  } catch (error) {
    // Elastic Load Balancing's names come with and without `Exception`, by how the answer is written.
    if (error instanceof Error && error.name.replace(/Exception$/, '') === absent.replace(/Exception$/, ''))
      return undefined;
    throw error;
  }
}
