// The one definition of `petra.sh/v1alpha1` Cluster: types, validation and JSON Schema all come from it.
// Rules between fields are in spec-rules.ts, because they have to work on specs that are wrong elsewhere.

import * as z from 'zod/mini';
import {
  clusterName,
  instanceType,
  k3sVersion,
  region,
  releaseVersion,
  type Syntax,
  subnetId,
  vpcId,
} from './spec-syntax.ts';

/**
 * The most workers a spec may ask for: a guard against a slip of the finger that costs money (`count: 20000`), not a
 * promise that so many run well on any control plane.
 */
const maxWorkers = 1000;

const controlPlaneCounts = [1, 3, 5];

function text(syntax: Syntax, description: string, examples: readonly string[]) {
  return z
    .string()
    .check(
      z.regex(syntax.pattern),
      z.maxLength(syntax.maxLength),
      z.meta({ description, examples: [...examples] }),
    );
}

const nodeType = z._default(
  text(instanceType, 'EC2 instance type of each node. Preflight checks that the region offers it.', [
    'm5a.large',
    'm5a.xlarge',
    'c7i.metal-24xl',
  ]),
  'm5a.large',
);

function addon(description: string) {
  return z
    .prefault(
      z.strictObject({
        enabled: z._default(z.boolean(), true).check(
          z.meta({
            description: 'Whether the addon is installed when the cluster is made.',
            examples: [true, false],
          }),
        ),
      }),
      {},
    )
    .check(z.meta({ description, examples: [{ enabled: true }] }));
}

const network = z
  .strictObject({
    vpcId: z.optional(
      text(
        vpcId,
        'Id of an existing VPC to build in. Needs `subnetIds`, and excludes `availabilityZones`. Petra never changes or deletes it.',
        ['vpc-0a1b2c3d4e5f60718'],
      ),
    ),
    subnetIds: z.optional(
      z.array(text(subnetId, 'Id of an existing subnet of the VPC.', ['subnet-0a1b2c3d4e5f60718'])).check(
        z.minLength(1),
        z.maxLength(16),
        z.meta({
          description:
            'Ids of the existing subnets for nodes and load balancer, each once. Needs `vpcId`. Use private subnets with a way out, and a public one in each zone that has an internet-facing load balancer.',
          examples: [['subnet-0a1b2c3d4e5f60718', 'subnet-0f1e2d3c4b5a69788']],
          uniqueItems: true,
        }),
      ),
    ),
    availabilityZones: z.optional(
      z.int().check(
        z.gte(1),
        z.lte(3),
        z.meta({
          description:
            'How many availability zones a network made for the cluster spans, each with its own NAT gateway and Elastic IP (the usual quota of Elastic IPs is 5 per region). When absent: 1 for one control-plane node, else 3. A region with fewer zones gets what it has.',
          examples: [1, 3],
        }),
      ),
    ),
  })
  .check(
    z.meta({
      description:
        'Where in the region a workload cluster is built: in an existing VPC (`vpcId` and `subnetIds`), or in a new one over `availabilityZones`. When absent, a new one with the default number of zones. Not for a management cluster, which is in the network of its Petra installation.',
      examples: [
        { availabilityZones: 1 },
        { vpcId: 'vpc-0a1b2c3d4e5f60718', subnetIds: ['subnet-0a1b2c3d4e5f60718'] },
      ],
      minProperties: 1,
      dependentRequired: { vpcId: ['subnetIds'], subnetIds: ['vpcId'] },
      not: { required: ['vpcId', 'availabilityZones'] },
    }),
  );

const management = z
  .strictObject({
    capiVersion: text(releaseVersion, 'Release of Cluster API (kubernetes-sigs/cluster-api).', ['v1.9.5']),
    capaVersion: text(
      releaseVersion,
      'Release of the AWS infrastructure provider, CAPA (kubernetes-sigs/cluster-api-provider-aws).',
      ['v2.7.2'],
    ),
    cabpK3sVersion: text(
      releaseVersion,
      'Release of the k3s bootstrap provider, CABPK3s (k3s-io/cluster-api-k3s). Must equal `cacpK3sVersion`: one repository releases both together.',
      ['v0.3.1'],
    ),
    cacpK3sVersion: text(
      releaseVersion,
      'Release of the k3s control-plane provider, CACPK3s (k3s-io/cluster-api-k3s). Must equal `cabpK3sVersion`.',
      ['v0.3.1'],
    ),
    certManagerVersion: text(
      releaseVersion,
      'Release of cert-manager, which issues the certificates of the webhooks (cert-manager/cert-manager).',
      ['v1.17.1'],
    ),
  })
  .check(
    z.meta({
      description:
        'Versions of the Cluster API components. Present in the spec of a management cluster (`petra capi init`), absent in that of a workload cluster (`petra capi create`).',
      examples: [
        {
          capiVersion: 'v1.9.5',
          capaVersion: 'v2.7.2',
          cabpK3sVersion: 'v0.3.1',
          cacpK3sVersion: 'v0.3.1',
          certManagerVersion: 'v1.17.1',
        },
      ],
    }),
  );

const nodes = z
  .strictObject({
    controlPlane: z
      .strictObject({
        count: z.int().check(
          z.refine((count) => controlPlaneCounts.includes(count)),
          z.meta({
            description:
              'Number of control-plane nodes. Odd, because etcd needs a majority: 1 survives no loss, 3 survive one, 5 survive two.',
            examples: [1, 3],
            enum: controlPlaneCounts,
          }),
        ),
        instanceType: nodeType,
      })
      .check(
        z.meta({
          description: 'The nodes that run the Kubernetes API and etcd.',
          examples: [{ count: 3, instanceType: 'm5a.large' }],
        }),
      ),
    workers: z
      .strictObject({
        count: z.int().check(
          z.gte(0),
          z.lte(maxWorkers),
          z.meta({
            description: `Number of worker nodes, 0 to ${maxWorkers}. With 0 everything runs on the control plane.`,
            examples: [2, 0],
          }),
        ),
        instanceType: nodeType,
      })
      .check(
        z.meta({
          description: 'The nodes that run your workloads.',
          examples: [{ count: 2, instanceType: 'm5a.large' }],
        }),
      ),
  })
  .check(
    z.meta({
      description: 'The machines of the cluster.',
      examples: [{ controlPlane: { count: 1 }, workers: { count: 2 } }],
    }),
  );

const target = z
  .strictObject({
    type: z._default(z.literal('aws'), 'aws').check(
      z.meta({
        description: 'The infrastructure the cluster is built on. Only AWS so far.',
        examples: ['aws'],
      }),
    ),
    region: text(
      region,
      "AWS region. A management cluster must be in the region of its Petra installation; workload clusters may be anywhere that installation's account reaches.",
      ['us-west-1', 'us-gov-west-1'],
    ),
    network: z.optional(network),
  })
  .check(
    z.meta({ description: 'Where the cluster is built.', examples: [{ type: 'aws', region: 'us-west-1' }] }),
  );

/** Checks and completes the shape of a spec. Use `parseClusterSpec` or `checkClusterSpec`, which explain problems. */
export const clusterSchema = z
  .strictObject({
    apiVersion: z
      .literal('petra.sh/v1alpha1')
      .check(z.meta({ description: 'Version of this format.', examples: ['petra.sh/v1alpha1'] })),
    kind: z
      .literal('Cluster')
      .check(z.meta({ description: 'Kind of this object; always `Cluster`.', examples: ['Cluster'] })),
    metadata: z
      .strictObject({
        name: text(
          clusterName,
          `Name of the cluster, unique in the fleet while it exists. Lower-case letters, digits and inner hyphens, at most ${clusterName.maxLength} characters.`,
          ['workload-dev', 'petra-mgmt'],
        ),
      })
      .check(z.meta({ description: 'What identifies the cluster.', examples: [{ name: 'workload-dev' }] })),
    spec: z
      .strictObject({
        kubernetes: z
          .strictObject({
            version: text(
              k3sVersion,
              'Version of k3s on every node: a release of k3s-io/k3s in full, with `v` and `+k3sN`.',
              ['v1.35.3+k3s1'],
            ),
          })
          .check(z.meta({ description: 'What runs on the nodes.', examples: [{ version: 'v1.35.3+k3s1' }] })),
        profile: z._default(z.enum(['standard']), 'standard').check(
          z.meta({
            description: 'Named set of security policies and settings, encoded in the ClusterClass `petra`.',
            examples: ['standard'],
          }),
        ),
        target,
        nodes,
        management: z.optional(management),
        addons: z
          .prefault(
            z.strictObject({
              cilium: addon(
                'Cilium as the network plugin. Disabled, the cluster uses flannel, which comes with k3s.',
              ),
              flux: addon('Flux, which delivers applications and further addons from Git.'),
            }),
            {},
          )
          .check(
            z.meta({
              description: 'What is installed into the cluster when it is made.',
              examples: [{ cilium: { enabled: true }, flux: { enabled: false } }],
            }),
          ),
        deletionProtection: z._default(z.boolean(), false).check(
          z.meta({
            description:
              'Whether `petra capi delete` and `destroy` refuse the cluster. The one field that a ready cluster can change: change nothing but this, and repeat `petra capi init` or `create` with the file; it is updated at once and nothing runs.',
            examples: [true, false],
          }),
        ),
      })
      .check(
        z.meta({
          description: 'What the cluster is made of.',
          examples: [
            {
              kubernetes: { version: 'v1.35.3+k3s1' },
              target: { region: 'us-west-1' },
              nodes: { controlPlane: { count: 1 }, workers: { count: 2 } },
            },
          ],
        }),
      ),
  })
  .check(
    z.meta({
      title: 'Cluster',
      description:
        'A k3s cluster on AWS: a management cluster when it has `spec.management`, else a workload cluster.',
      examples: [
        {
          apiVersion: 'petra.sh/v1alpha1',
          kind: 'Cluster',
          metadata: { name: 'workload-dev' },
          spec: {
            kubernetes: { version: 'v1.35.3+k3s1' },
            target: { region: 'us-west-1' },
            nodes: { controlPlane: { count: 1 }, workers: { count: 2 } },
          },
        },
      ],
    }),
  );

/** A spec after validation, every default filled in. */
export type ClusterSpec = z.output<typeof clusterSchema>;

/** Versions of the Cluster API components of a management cluster. */
export type ManagementVersions = NonNullable<ClusterSpec['spec']['management']>;
