// What the simulated Cluster API provider makes on AWS, really made in moto: with its tags, so that Petra's own looks for
// residue and name clashes find it, and gone when the provider says so. Ids are moto's, not those in the objects.

import {
  AllocateAddressCommand,
  AttachInternetGatewayCommand,
  CreateInternetGatewayCommand,
  CreateNatGatewayCommand,
  CreateRouteTableCommand,
  CreateSecurityGroupCommand,
  CreateSubnetCommand,
  CreateVpcCommand,
  DeleteInternetGatewayCommand,
  DeleteNatGatewayCommand,
  DeleteRouteTableCommand,
  DeleteSecurityGroupCommand,
  DeleteSubnetCommand,
  DeleteVpcCommand,
  DetachInternetGatewayCommand,
  type EC2Client,
  ReleaseAddressCommand,
  type ResourceType,
  RunInstancesCommand,
  type TagSpecification,
  TerminateInstancesCommand,
} from '@aws-sdk/client-ec2';
import {
  CreateLoadBalancerCommand,
  DeleteLoadBalancerCommand,
  type ElasticLoadBalancingV2Client,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { perRegion } from '../../adapters/per-region.ts';
import type { CloudInventory } from '../../local/controllers/environment.ts';

interface Made {
  readonly type: string;
  readonly id: string;
  readonly cluster: string;
}

const clusterTag = /^sigs\.k8s\.io\/cluster-api-provider-aws\/cluster\/(.+)$/;

/** In an order in which they can be removed. */
const insideVpc = ['ec2:natgateway', 'ec2:subnet', 'ec2:route-table', 'ec2:internet-gateway'];

export class CapaInventory implements CloudInventory {
  readonly #ec2: (region: string) => EC2Client;
  readonly #balancing: (region: string) => ElasticLoadBalancingV2Client;
  /** By region and the id that the simulated provider gave. */
  readonly #made = new Map<string, Made>();
  readonly #making = new Map<string, Promise<void>>();

  constructor(clients: {
    readonly ec2: (region: string) => EC2Client;
    readonly balancing: (region: string) => ElasticLoadBalancingV2Client;
  }) {
    this.#ec2 = perRegion(clients.ec2);
    this.#balancing = perRegion(clients.balancing);
  }

  async add(region: string, type: string, id: string, tags: Readonly<Record<string, string>>): Promise<void> {
    const key = `${region}/${id}`;
    const making = this.#making.get(key) ?? this.#make(region, key, type, tags);
    this.#making.set(key, making);
    try {
      await making;
    } finally {
      this.#making.delete(key);
    }
  }

  async remove(region: string, id: string): Promise<void> {
    const key = `${region}/${id}`;
    const made = this.#made.get(key);
    if (!made) return;
    if (made.type === 'ec2:vpc') await this.#empty(region, made.cluster);
    await this.#delete(region, made);
    this.#made.delete(key);
  }

  async #make(
    region: string,
    key: string,
    type: string,
    tags: Readonly<Record<string, string>>,
  ): Promise<void> {
    if (this.#made.has(key)) return;
    const cluster = Object.keys(tags).flatMap((tag) => clusterTag.exec(tag)?.[1] ?? [])[0] ?? '';
    this.#made.set(key, { type, cluster, id: await this.#create(region, type, cluster, tags) });
  }

  async #create(
    region: string,
    type: string,
    cluster: string,
    tags: Readonly<Record<string, string>>,
  ): Promise<string> {
    const ec2 = this.#ec2(region);
    const Tags = Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
    const tagged = (ResourceType: ResourceType): { TagSpecifications: TagSpecification[] } => ({
      TagSpecifications: [{ ResourceType, Tags }],
    });
    const vpc = this.#first(region, cluster, 'ec2:vpc');
    const subnet = this.#first(region, cluster, 'ec2:subnet');
    switch (type) {
      case 'ec2:vpc':
        return id(
          (await ec2.send(new CreateVpcCommand({ CidrBlock: '10.0.0.0/16', ...tagged('vpc') }))).Vpc?.VpcId,
        );
      case 'ec2:subnet': {
        const CidrBlock = `10.0.${16 * this.#count(region, cluster, type)}.0/20`;
        const made = await ec2.send(new CreateSubnetCommand({ VpcId: vpc, CidrBlock, ...tagged('subnet') }));
        return id(made.Subnet?.SubnetId);
      }
      case 'ec2:internet-gateway': {
        const made = await ec2.send(new CreateInternetGatewayCommand(tagged('internet-gateway')));
        const InternetGatewayId = id(made.InternetGateway?.InternetGatewayId);
        await ec2.send(new AttachInternetGatewayCommand({ VpcId: vpc, InternetGatewayId }));
        return InternetGatewayId;
      }
      case 'ec2:elastic-ip': {
        const request = { Domain: 'vpc', ...tagged('elastic-ip') } as const;
        return id((await ec2.send(new AllocateAddressCommand(request))).AllocationId);
      }
      case 'ec2:natgateway': {
        const request = { SubnetId: subnet, ConnectivityType: 'private', ...tagged('natgateway') } as const;
        return id((await ec2.send(new CreateNatGatewayCommand(request))).NatGateway?.NatGatewayId);
      }
      case 'ec2:route-table': {
        const made = await ec2.send(new CreateRouteTableCommand({ VpcId: vpc, ...tagged('route-table') }));
        return id(made.RouteTable?.RouteTableId);
      }
      case 'ec2:security-group': {
        const GroupName = `${tags.Name}-${this.#made.size}`;
        const request = { GroupName, Description: 'CAPA', VpcId: vpc, ...tagged('security-group') };
        return id((await ec2.send(new CreateSecurityGroupCommand(request))).GroupId);
      }
      case 'ec2:instance': {
        const request = {
          ImageId: 'ami-0abcdef1234567890',
          MinCount: 1,
          MaxCount: 1,
          SubnetId: subnet,
          ...tagged('instance'),
        };
        return id((await ec2.send(new RunInstancesCommand(request))).Instances?.[0]?.InstanceId);
      }
      case 'elasticloadbalancing:loadbalancer': {
        const request = { Name: tags.Name, Type: 'network', Subnets: [subnet], Tags } as const;
        const made = await this.#balancing(region).send(
          new CreateLoadBalancerCommand({ ...request, Subnets: [subnet] }),
        );
        return id(made.LoadBalancers?.[0]?.LoadBalancerArn);
      }
      default:
        throw new Error(`the virtual account cannot make a ${type}`);
    }
  }

  /** The simulated provider removes a VPC before what is in it; EC2 wants it the other way round. */
  async #empty(region: string, cluster: string): Promise<void> {
    for (const type of insideVpc) {
      for (const [key, made] of [...this.#made]) {
        if (made.type !== type || made.cluster !== cluster || !key.startsWith(`${region}/`)) continue;
        await this.#delete(region, made);
        this.#made.delete(key);
      }
    }
  }

  async #delete(region: string, { type, id, cluster }: Made): Promise<void> {
    const ec2 = this.#ec2(region);
    switch (type) {
      case 'ec2:vpc':
        return void (await ec2.send(new DeleteVpcCommand({ VpcId: id })));
      case 'ec2:subnet':
        return void (await ec2.send(new DeleteSubnetCommand({ SubnetId: id })));
      case 'ec2:internet-gateway': {
        const VpcId = this.#first(region, cluster, 'ec2:vpc');
        await ec2.send(new DetachInternetGatewayCommand({ InternetGatewayId: id, VpcId }));
        return void (await ec2.send(new DeleteInternetGatewayCommand({ InternetGatewayId: id })));
      }
      case 'ec2:elastic-ip':
        return void (await ec2.send(new ReleaseAddressCommand({ AllocationId: id })));
      case 'ec2:natgateway':
        return void (await ec2.send(new DeleteNatGatewayCommand({ NatGatewayId: id })));
      case 'ec2:route-table':
        return void (await ec2.send(new DeleteRouteTableCommand({ RouteTableId: id })));
      case 'ec2:security-group':
        return void (await ec2.send(new DeleteSecurityGroupCommand({ GroupId: id })));
      case 'ec2:instance':
        return void (await ec2.send(new TerminateInstancesCommand({ InstanceIds: [id] })));
      case 'elasticloadbalancing:loadbalancer':
        return void (await this.#balancing(region).send(
          new DeleteLoadBalancerCommand({ LoadBalancerArn: id }),
        ));
    }
  }

  #of(region: string, cluster: string, type: string): readonly Made[] {
    return [...this.#made]
      .filter(([key, made]) => key.startsWith(`${region}/`) && made.cluster === cluster && made.type === type)
      .map(([, made]) => made);
  }

  /** Empty when there is none, which EC2 refuses. */
  #first(region: string, cluster: string, type: string): string {
    return this.#of(region, cluster, type)[0]?.id ?? '';
  }

  #count(region: string, cluster: string, type: string): number {
    return this.#of(region, cluster, type).length;
  }
}

function id(given: string | undefined): string {
  if (given === undefined) throw new Error('moto made something without an id');
  return given;
}
