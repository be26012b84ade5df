import fc from 'fast-check';
import type { ClusterSpec } from '../../../core/capi/spec-schema.ts';

const word = (pattern: RegExp) => fc.stringMatching(pattern);

const k3sVersion = word(/^v[1-9]\.[1-9][0-9]?\.[1-9][0-9]?\+k3s[1-9]$/);
const release = word(/^v[0-9]\.[1-9][0-9]?\.[1-9][0-9]?$/);
const instanceType = word(/^[a-z]{1,2}[1-9][a-z]{0,2}\.(medium|large|xlarge|[1-9]{1,2}xlarge|metal)$/);
const region = fc.constantFrom(
  'us-west-1',
  'us-gov-west-1',
  'eu-isoe-west-1',
  'ap-southeast-7',
  'cn-northwest-1',
);
const name = word(/^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$/);

const network = fc.oneof(
  fc.record({ availabilityZones: fc.constantFrom(1, 2, 3) }),
  fc.record({
    vpcId: word(/^vpc-([0-9a-f]{8}|[0-9a-f]{17})$/),
    subnetIds: fc.uniqueArray(word(/^subnet-([0-9a-f]{8}|[0-9a-f]{17})$/), { minLength: 1, maxLength: 16 }),
  }),
);

const managementVersions = fc
  .record({ capiVersion: release, capaVersion: release, k3s: release, certManagerVersion: release })
  .map(({ k3s, ...versions }) => ({ ...versions, cabpK3sVersion: k3s, cacpK3sVersion: k3s }));

const addon = fc.record({ enabled: fc.boolean() });

/** The network of a management cluster is its installation's. */
function withoutForeignNetwork(spec: ClusterSpec): ClusterSpec {
  if (spec.spec.management === undefined) return spec;
  const { network: _network, ...target } = spec.spec.target;
  return { ...spec, spec: { ...spec.spec, target } };
}

/** Any valid spec with every field filled in that has a default, and optional sections present or not. */
export const clusterSpecs: fc.Arbitrary<ClusterSpec> = fc
  .record({
    apiVersion: fc.constant('petra.sh/v1alpha1'),
    kind: fc.constant('Cluster'),
    metadata: fc.record({ name }),
    spec: fc.record(
      {
        kubernetes: fc.record({ version: k3sVersion }),
        profile: fc.constant('standard'),
        target: fc.record(
          { type: fc.constant('aws'), region, network },
          { requiredKeys: ['type', 'region'] },
        ),
        nodes: fc.record({
          controlPlane: fc.record({ count: fc.constantFrom(1, 3, 5), instanceType }),
          workers: fc.record({ count: fc.integer({ min: 0, max: 1000 }), instanceType }),
        }),
        management: managementVersions,
        addons: fc.record({ cilium: addon, flux: addon }),
        deletionProtection: fc.boolean(),
      },
      {
        requiredKeys: ['kubernetes', 'profile', 'target', 'nodes', 'addons', 'deletionProtection'],
      },
    ),
  })
  .map(withoutForeignNetwork);

/** Valid YAML of a valid spec, damaged in a few places. */
export function damaged(texts: fc.Arbitrary<string>): fc.Arbitrary<string> {
  const piece = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 4 }),
    fc.constantFrom(
      ...[
        '\t',
        ': ',
        '- ',
        '\n',
        '&a ',
        '*a',
        '!!str ',
        '<<: ',
        '---\n',
        '{',
        '}',
        '[',
        ']',
        '"',
        "'",
        '#',
        '|\n',
        '>',
        '%',
        '@',
        '`',
      ],
      ...[
        '__proto__: ',
        'null',
        'true',
        '1e999',
        '.nan',
        '0x1F',
        '-0',
        '\u2028',
        '\ufeff',
        '\u0000',
        '\ud800',
        '? ',
        '~',
      ],
    ),
  );
  const cut = fc.record({ at: fc.nat(), remove: fc.nat({ max: 12 }), insert: piece });
  return fc.tuple(texts, fc.array(cut, { minLength: 1, maxLength: 5 })).map(([text, cuts]) =>
    cuts.reduce((left, { at, remove, insert }) => {
      const start = at % (left.length + 1);
      return left.slice(0, start) + insert + left.slice(start + remove);
    }, text),
  );
}
