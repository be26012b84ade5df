// The one definition of `petra.sh/v1alpha1` Cluster: types, validation and JSON Schema all come from it.

import { z } from 'zod';

const nodeGroup = z.strictObject({
  count: z.int(),
  instanceType: z.string().default('m5a.large'),
});

const addon = z.strictObject({ enabled: z.boolean().default(true) });

export const clusterSchema = z.strictObject({
  apiVersion: z.literal('petra.sh/v1alpha1'),
  kind: z.literal('Cluster'),
  metadata: z.strictObject({ name: z.string() }),
  spec: z.strictObject({
    kubernetes: z.strictObject({ version: z.string() }),
    profile: z.enum(['standard']).default('standard'),
    target: z.strictObject({
      type: z.literal('aws').default('aws'),
      region: z.string(),
      network: z
        .strictObject({
          vpcId: z.string().optional(),
          subnetIds: z.array(z.string()).optional(),
          availabilityZones: z.int().optional(),
        })
        .optional(),
    }),
    nodes: z.strictObject({ controlPlane: nodeGroup, workers: nodeGroup }),
    management: z
      .strictObject({
        capiVersion: z.string(),
        capaVersion: z.string(),
        cabpK3sVersion: z.string(),
        cacpK3sVersion: z.string(),
        certManagerVersion: z.string(),
      })
      .optional(),
    addons: z.strictObject({ cilium: addon.prefault({}), flux: addon.prefault({}) }).prefault({}),
    deletionProtection: z.boolean().default(false),
  }),
});

/** A spec after validation, every default filled in. */
export type ClusterSpec = z.output<typeof clusterSchema>;

/** Versions of the Cluster API components of a management cluster. */
export type ManagementVersions = NonNullable<ClusterSpec['spec']['management']>;
