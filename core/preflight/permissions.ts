// What CAPA calls to make and remove a workload cluster as Petra asks for it (CAPA v2.7 to v2.12: the policy of its controllers in
// cmd/clusterawsadm/cloudformation/bootstrap, without what Petra's clusters never use: classic load balancers, EKS, machine pools,
// IPv6, its bucket and secrets). Left out too: iam:PassRole and iam:CreateServiceLinkedRole, which policies rightly grant for some roles
// only, so that a simulation over everything says no.

import { errorFinding, type PreflightFinding, warningFinding } from './finding.ts';

interface Permission {
  /** What CAPA needs the actions for. */
  readonly reason: string;
  readonly actions: readonly string[];
}

const always: readonly Permission[] = [
  {
    reason: 'launch and end machines',
    actions: [
      'ec2:RunInstances',
      'ec2:TerminateInstances',
      'ec2:ModifyInstanceAttribute',
      'ec2:DescribeInstances',
      'ec2:DescribeInstanceTypes',
      'ec2:DescribeImages',
      'ec2:DescribeVolumes',
      'ec2:DescribeNetworkInterfaces',
    ],
  },
  { reason: 'tag what it makes', actions: ['ec2:CreateTags', 'ec2:DeleteTags'] },
  {
    reason: 'look at the network',
    actions: [
      'ec2:DescribeVpcs',
      'ec2:DescribeVpcAttribute',
      'ec2:DescribeSubnets',
      'ec2:DescribeRouteTables',
      'ec2:DescribeInternetGateways',
      'ec2:DescribeNatGateways',
      'ec2:DescribeAddresses',
      'ec2:DescribeAvailabilityZones',
    ],
  },
  {
    reason: 'make and remove security groups',
    actions: [
      'ec2:CreateSecurityGroup',
      'ec2:AuthorizeSecurityGroupIngress',
      'ec2:RevokeSecurityGroupIngress',
      'ec2:DeleteSecurityGroup',
      'ec2:DescribeSecurityGroups',
    ],
  },
  {
    reason: 'make and remove the load balancer of the API',
    actions: [
      'elasticloadbalancing:CreateLoadBalancer',
      'elasticloadbalancing:CreateTargetGroup',
      'elasticloadbalancing:CreateListener',
      'elasticloadbalancing:AddTags',
      'elasticloadbalancing:ModifyLoadBalancerAttributes',
      'elasticloadbalancing:ModifyTargetGroupAttributes',
      'elasticloadbalancing:RegisterTargets',
      'elasticloadbalancing:DeregisterTargets',
      'elasticloadbalancing:DeleteListener',
      'elasticloadbalancing:DeleteTargetGroup',
      'elasticloadbalancing:DeleteLoadBalancer',
      'elasticloadbalancing:DescribeLoadBalancers',
      'elasticloadbalancing:DescribeLoadBalancerAttributes',
      'elasticloadbalancing:DescribeTargetGroups',
      'elasticloadbalancing:DescribeListeners',
      'elasticloadbalancing:DescribeTags',
    ],
  },
  { reason: "remove load balancers that the cluster's Services made", actions: ['tag:GetResources'] },
];

const ownNetwork: readonly Permission[] = [
  {
    reason: 'make and remove the VPC',
    actions: ['ec2:CreateVpc', 'ec2:ModifyVpcAttribute', 'ec2:DeleteVpc'],
  },
  {
    reason: 'make and remove subnets',
    actions: ['ec2:CreateSubnet', 'ec2:ModifySubnetAttribute', 'ec2:DeleteSubnet'],
  },
  {
    reason: 'make and remove the internet gateway',
    actions: [
      'ec2:CreateInternetGateway',
      'ec2:AttachInternetGateway',
      'ec2:DetachInternetGateway',
      'ec2:DeleteInternetGateway',
    ],
  },
  {
    reason: 'make and remove NAT gateways with their addresses',
    actions: [
      'ec2:AllocateAddress',
      'ec2:CreateNatGateway',
      'ec2:DeleteNatGateway',
      'ec2:DisassociateAddress',
      'ec2:ReleaseAddress',
    ],
  },
  {
    reason: 'make and remove route tables',
    actions: [
      'ec2:CreateRouteTable',
      'ec2:CreateRoute',
      'ec2:ReplaceRoute',
      'ec2:AssociateRouteTable',
      'ec2:DisassociateRouteTable',
      'ec2:DeleteRouteTable',
    ],
  },
];

/** What CAPA needs, for a cluster with a network of its own or in an existing one. */
function permissionsFor(network: 'own' | 'existing'): readonly Permission[] {
  return network === 'own' ? [...ownNetwork, ...always] : always;
}

/** Every action that CAPA calls for such a cluster. */
export function capaActions(network: 'own' | 'existing'): readonly string[] {
  return permissionsFor(network).flatMap(({ actions }) => actions);
}

/**
 * One finding for all that is denied. For a workload cluster it is an error; a management cluster can be made without, but is
 * of no use then.
 */
export function assessPermissions(input: {
  readonly denied: readonly string[];
  readonly network: 'own' | 'existing';
  readonly region: string;
  readonly severity: PreflightFinding['severity'];
}): readonly PreflightFinding[] {
  const { denied, network, region, severity } = input;
  if (denied.length === 0) return [];
  const why = permissionsFor(network).flatMap(({ reason, actions }) => {
    const lacking = actions.filter((action) => denied.includes(action));
    return lacking.length === 0 ? [] : [`to ${reason}: ${lacking.join(', ')}`];
  });
  const finding = severity === 'error' ? errorFinding : warningFinding;
  return [
    finding(
      'CapaPermissionMissing',
      `the role that CAPA works under is denied ${denied.join(', ')} in ${region}`,
      {
        fix: 'Allow the actions in the policies of the role of the management nodes: its own, its permission boundary, and those of the organization.',
        evidence: why,
      },
    ),
  ];
}
