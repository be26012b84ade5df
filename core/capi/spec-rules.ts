// Rules between fields. They look at the spec as it came in, so that they speak even when it is wrong elsewhere.

import type { FieldPath } from './spec-problem.ts';

/** Which kind of spec a command takes. */
export type SpecExpectation = 'management' | 'workload' | 'any';

/** A rule that a spec breaks, at the field that breaks it. */
export interface BrokenRule {
  readonly path: FieldPath;
  /** `field`: its value is to be shown; `key`: it should not be there, or something beside it is missing. */
  readonly at: 'field' | 'key';
  readonly problem: string;
  readonly expected?: string;
  readonly fix?: string;
}

/** What a value holds at a path, own properties only; `undefined` when there is nothing. */
export function valueAt(value: unknown, path: FieldPath): unknown {
  let found: unknown = value;
  for (const key of path) {
    if (typeof found !== 'object' || found === null || !Object.hasOwn(found, key)) return undefined;
    found = Reflect.get(found, key);
  }
  return found;
}

/** Every rule between fields that the spec breaks. `file` is named in the commands that are suggested. */
export function brokenRules(spec: unknown, expect: SpecExpectation, file: string): BrokenRule[] {
  return [...kindRules(spec, expect, file), ...providerRules(spec), ...networkRules(spec)];
}

const managementPath = ['spec', 'management'];

function kindRules(spec: unknown, expect: SpecExpectation, file: string): BrokenRule[] {
  const section = valueAt(spec, ['spec']);
  if (typeof section !== 'object' || section === null || Array.isArray(section)) return [];
  const has = Object.hasOwn(section, 'management');
  if (expect === 'workload' && has) {
    return [
      {
        path: managementPath,
        at: 'key',
        problem: 'makes this the spec of a management cluster, and the command is for workload clusters',
        fix: `use \`petra capi init -f ${file}\` (or \`destroy\`), or remove \`management\``,
      },
    ];
  }
  if (expect === 'management' && !has) {
    return [
      {
        path: managementPath,
        at: 'key',
        problem:
          'is missing: this is the spec of a workload cluster, and the command is for management clusters',
        fix: `use \`petra capi create -f ${file}\` (or \`delete\`), or add \`management\``,
      },
    ];
  }
  return [];
}

function providerRules(spec: unknown): BrokenRule[] {
  const bootstrap = valueAt(spec, [...managementPath, 'cabpK3sVersion']);
  const controlPlane = valueAt(spec, [...managementPath, 'cacpK3sVersion']);
  if (typeof bootstrap !== 'string' || typeof controlPlane !== 'string' || bootstrap === controlPlane)
    return [];
  return [
    {
      path: [...managementPath, 'cacpK3sVersion'],
      at: 'field',
      problem: 'differs from `cabpK3sVersion`: both k3s providers come from one release of one repository',
      expected: 'the same version in both',
    },
  ];
}

function networkRules(spec: unknown): BrokenRule[] {
  const path = ['spec', 'target', 'network'];
  const network = valueAt(spec, path);
  if (typeof network !== 'object' || network === null || Array.isArray(network)) return [];
  const rules: BrokenRule[] = [];
  if (valueAt(spec, managementPath) !== undefined) {
    rules.push({
      path,
      at: 'key',
      problem:
        'has no meaning here: the machines of a management cluster are in the network of their Petra installation',
      fix: 'remove it',
    });
  }
  const hasVpc = Object.hasOwn(network, 'vpcId');
  const hasSubnets = Object.hasOwn(network, 'subnetIds');
  if (Object.keys(network).length === 0) {
    rules.push({
      path,
      at: 'key',
      problem: 'is empty',
      expected: '`vpcId` and `subnetIds`, or `availabilityZones`',
      fix: 'leave it out for a new network with the default number of zones',
    });
  }
  if (hasVpc && !hasSubnets) {
    const fix = 'add the ids of the subnets to use';
    rules.push({ path: [...path, 'subnetIds'], at: 'key', problem: 'is missing: `vpcId` is given', fix });
  }
  if (hasSubnets && !hasVpc) {
    const fix = 'add the id of the VPC they are in';
    rules.push({ path: [...path, 'vpcId'], at: 'key', problem: 'is missing: `subnetIds` are given', fix });
  }
  if (hasVpc && Object.hasOwn(network, 'availabilityZones')) {
    rules.push({
      path: [...path, 'availabilityZones'],
      at: 'key',
      problem: 'cannot be given with `vpcId`: the subnets of an existing VPC decide about its zones',
      fix: 'remove one of them',
    });
  }
  return [...rules, ...repeatedSubnets(network, path)];
}

function repeatedSubnets(network: object, path: FieldPath): BrokenRule[] {
  const ids = valueAt(network, ['subnetIds']);
  if (!Array.isArray(ids)) return [];
  const seen = new Set<unknown>();
  const rules: BrokenRule[] = [];
  for (const [index, id] of ids.entries()) {
    if (typeof id === 'string' && seen.has(id)) {
      rules.push({
        path: [...path, 'subnetIds', index],
        at: 'field',
        problem: 'is already in the list',
        fix: 'give each subnet once',
      });
    }
    seen.add(id);
  }
  return rules;
}
