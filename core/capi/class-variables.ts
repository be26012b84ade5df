// The variables of the ClusterClass. Four come from the documented contract; the others have defaults, so that a Cluster
// written by hand with those four works. Patterns are those of specs: what passes there passes here.

import * as syntax from './spec-syntax.ts';

interface ClassVariable {
  readonly name: string;
  readonly required: boolean;
  readonly schema: { readonly openAPIV3Schema: Readonly<Record<string, unknown>> };
}

const instanceType = { type: 'string', pattern: syntax.instanceType.pattern.source, default: 'm5a.large' };

const addon = {
  type: 'object',
  default: {},
  properties: { enabled: { type: 'boolean', default: true } },
};

export const classVariables: readonly ClassVariable[] = [
  variable('region', true, {
    type: 'string',
    description: 'AWS region of the cluster.',
    pattern: syntax.region.pattern.source,
  }),
  variable('controlPlaneInstanceType', false, {
    ...instanceType,
    description: 'EC2 instance type of control-plane nodes.',
  }),
  variable('workerInstanceType', false, {
    ...instanceType,
    description: 'EC2 instance type of workers.',
  }),
  variable('profile', false, {
    type: 'string',
    description: 'Security profile of every node.',
    enum: ['standard'],
    default: 'standard',
  }),
  variable('addons', false, {
    type: 'object',
    description: 'What is installed besides k3s: cilium (else flannel) and flux.',
    default: {},
    properties: { cilium: addon, flux: addon },
  }),
  variable('network', false, {
    type: 'object',
    description:
      'An existing VPC with its subnets (all of them when none are named), or in how many availability zones CAPA spreads a new one.',
    default: {},
    properties: {
      vpcId: { type: 'string', pattern: syntax.vpcId.pattern.source },
      subnetIds: {
        type: 'array',
        minItems: 1,
        uniqueItems: true,
        items: { type: 'string', pattern: syntax.subnetId.pattern.source },
      },
      availabilityZones: { type: 'integer', minimum: 1 },
    },
  }),
  variable('uid', false, {
    type: 'string',
    description: "The cluster's uid in Petra's fleet, as a tag on every AWS resource.",
    pattern: '^[A-Za-z0-9-]*$',
    default: '',
  }),
];

function variable(
  name: string,
  required: boolean,
  openAPIV3Schema: Readonly<Record<string, unknown>>,
): ClassVariable {
  return { name, required, schema: { openAPIV3Schema } };
}
