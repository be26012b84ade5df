// The texts of a spec that have a syntax of their own: what is right, and how a wrong one is explained.
// Patterns are plain enough for any JSON Schema validator, and none backtracks without bound.

import { nearest } from '../nearest-word.ts';
import { knownRegions } from './spec-regions.ts';

/** Nothing longer is near a right value; what explains a wrong one may look at each letter several times. */
const explainedLength = 256;

/** What is wrong with a value and, when it can be told, what to write instead. */
export interface Explanation {
  readonly problem: string;
  readonly fix?: string;
}

export interface Syntax {
  readonly pattern: RegExp;
  readonly maxLength: number;
  /** Completes "expected …". */
  readonly expected: string;
  /** Why a value that does not match is wrong. Only called for those. */
  explain(value: string): Explanation;
}

/**
 * The longest name of a cluster, so that no name which Cluster API derives from it is cut.
 *
 * Kubernetes holds the name in the label `cluster.x-k8s.io/cluster-name`, whose values end at 63 characters; the
 * webhook of Cluster API 1.9.5 refuses longer ones. The generators of Cluster API and of the k3s provider 0.3.1
 * never exceed 63 either: they cut the base at 58 and add 5 random characters, which loses the part that tells
 * machines and their owners apart. The longest chain is that of a worker machine:
 *
 *   Cluster            <name>
 *   MachineDeployment  <name>-md-0-xxxxx                + 5 + 6
 *   MachineSet         <name>-md-0-xxxxx-xxxxx              + 6
 *   Machine            <name>-md-0-xxxxx-xxxxx-xxxxx        + 6   = <name> + 23 ≤ 63, so <name> ≤ 40
 *
 * Everything else allows more. Control-plane machine `<name>-xxxxx-xxxxx`: 51. Petra's operation, the name of an
 * execution of at most 80, `destroy-<name>-<uid8>-<attempt>`: 7 + 8 + 3 hyphens, so 52 with ten digits for the
 * attempt. CAPA 2.7.2: EventBridge rule `<name>-ec2-rule` of 64: 55; queue `<name>-queue` of 80: 74; tag key
 * `sigs.k8s.io/cluster-api-provider-aws/cluster/<name>` of 128: 83; security group `<name>-apiserver-lb` of 255.
 * Its load balancer is `<namespace>-<name>-apiserver` when that fits 32 characters, and a hash otherwise.
 *
 * No generated name has to begin with a letter (DNS-1035): the objects named after a cluster are custom resources,
 * Secrets and ConfigMaps, all of which may begin with a digit, and CAPA itself covers for a leading `sg-`.
 */
export const maxClusterNameLength = 63 - '-md-0'.length - 3 * '-xxxxx'.length;

export const clusterName: Syntax = {
  pattern: /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/,
  maxLength: maxClusterNameLength,
  expected: `at most ${maxClusterNameLength} lower-case letters, digits and hyphens, with no hyphen at either end`,
  explain(value) {
    if (value === '') return { problem: 'is empty' };
    const made = value
      .slice(0, 253)
      .toLowerCase()
      .replaceAll(/[^a-z0-9]+/g, '-')
      .slice(0, maxClusterNameLength)
      .replaceAll(/^-|-$/g, '');
    const fix = made === '' ? {} : { fix: `for example \`${made}\`` };
    return clusterName.pattern.test(value)
      ? {
          problem: `has ${value.length} characters; machine names made from it would be cut above ${maxClusterNameLength}`,
          ...fix,
        }
      : { problem: 'is not a cluster name', ...fix };
  },
};

const number = '(0|[1-9][0-9]{0,5})';

export const k3sVersion: Syntax = {
  pattern: new RegExp(`^v${number}\\.${number}\\.${number}\\+k3s[1-9][0-9]{0,2}$`),
  maxLength: 32,
  expected: 'a full k3s version such as `v1.35.3+k3s1`',
  explain(value) {
    const text = value.slice(0, explainedLength).trim();
    const core = /^[vV]?(\d+\.\d+\.\d+)/.exec(text)?.[1];
    if (core === undefined) {
      if (/^[vV]?\d+\.\d+$/.test(text)) {
        return { problem: 'lacks the patch number and the k3s revision', fix: 'write it in full' };
      }
      return /^(stable|latest|testing)$/i.test(text)
        ? {
            problem: 'is a release channel, and would mean another version every day',
            fix: 'name one version',
          }
        : { problem: 'is not a version' };
    }
    const revision = /[^a-z0-9]+(?:2[bB])?k3s(\d+)$/i.exec(text)?.[1] ?? '1';
    const whole = `v${core}+k3s${revision}`;
    const fix = k3sVersion.pattern.test(whole) ? { fix: `did you mean \`${whole}\`?` } : {};
    const rest = text.replace(/^[vV]?\d+\.\d+\.\d+/, '');
    if (rest === '') {
      return text.startsWith('v')
        ? { problem: 'lacks the k3s revision, `+k3s1`, at the end', ...fix }
        : { problem: 'lacks the `v` at the front and the k3s revision, `+k3s1`, at the end', ...fix };
    }
    if (/^\+k3s[1-9]\d*$/.test(rest) && !text.startsWith('v'))
      return { problem: 'lacks the `v` at the front', ...fix };
    if (/^([-_ ]|%2[bB])k3s\d+$/.test(rest)) {
      return { problem: 'is in the style of an image tag or address, without the `+`', ...fix };
    }
    if (/rke2/.test(rest)) return { problem: 'is a version of RKE2, not of k3s', ...fix };
    if (/^-(rc|alpha|beta)/.test(rest)) return { problem: 'is a pre-release', ...fix };
    return { problem: 'is not a full k3s version', ...fix };
  },
};

export const releaseVersion: Syntax = {
  pattern: new RegExp(`^v${number}\\.${number}\\.${number}$`),
  maxLength: 32,
  expected: 'a release such as `v1.9.5`: `v` and three numbers',
  explain(value) {
    const numbers = /^[vV]?(\d+\.\d+\.\d+)(?![\d.])/.exec(value.trim())?.[1];
    const whole = `v${numbers}`;
    const fix =
      numbers !== undefined && releaseVersion.pattern.test(whole)
        ? { fix: `did you mean \`${whole}\`?` }
        : {};
    if (/^\d+\.\d+\.\d+$/.test(value)) return { problem: 'lacks the `v` at the front', ...fix };
    if (/^[vV]?\d+(\.\d+)?$/.test(value))
      return { problem: 'lacks the patch number', fix: 'write it in full' };
    if (/^[vV]?\d+\.\d+\.\d+-/.test(value)) return { problem: 'is a pre-release', ...fix };
    return { problem: 'is not a release version', ...fix };
  },
};

const direction = '(north|south|east|west|central|northeast|northwest|southeast|southwest)';

export const region: Syntax = {
  pattern: new RegExp(`^[a-z]{2,4}(-[a-z]{2,5})?-${direction}-[1-9][0-9]?$`),
  maxLength: 32,
  expected: 'an AWS region such as `us-west-1` or `us-gov-west-1`',
  explain(value) {
    const text = value.trim().toLowerCase();
    const zoned = text.replace(/[a-z]$/, '');
    if (text !== zoned && region.pattern.test(zoned)) {
      return { problem: 'is an availability zone', fix: `did you mean the region \`${zoned}\`?` };
    }
    const meant = region.pattern.test(text) ? text : nearest(text.slice(0, 64), knownRegions);
    return {
      problem: value === '' ? 'is empty' : 'is not the name of a region',
      ...(meant === undefined ? {} : { fix: `did you mean \`${meant}\`?` }),
    };
  },
};

export const instanceType: Syntax = {
  pattern:
    /^[a-z]{1,6}(-[a-z]{0,6})?[0-9][a-z0-9]{0,15}(-[a-z0-9]{1,12}){0,3}\.(nano|micro|small|medium|large|[0-9]{0,3}xlarge|metal(-[0-9]{1,3}xl)?)$/,
  maxLength: 40,
  expected: 'an EC2 instance type such as `m5a.large`',
  explain(value) {
    const text = value.slice(0, explainedLength).trim().toLowerCase();
    const tries = [
      text,
      text.replace(/^(db|cache|ml|search)\./, ''),
      text.replace(/[-_ ](?=(nano|micro|small|medium|large|\d*xlarge|metal)\b)/, '.'),
      text.replace(/(?<=\d[a-z]*)(?=(nano|micro|small|medium|large|\d*xlarge|metal)$)/, '.'),
      text.replace(/\.xx+large$/, (size) => `.${size.lastIndexOf('x')}xlarge`),
    ];
    const meant = tries.find((attempt) => instanceType.pattern.test(attempt));
    return {
      problem: value === '' ? 'is empty' : 'is not an instance type',
      ...(meant === undefined ? {} : { fix: `did you mean \`${meant}\`?` }),
    };
  },
};

function resourceId(kind: string, words: string): Syntax {
  const syntax: Syntax = {
    // Eight digits until 2016, seventeen since; both are still alive.
    pattern: new RegExp(`^${kind}-([0-9a-f]{8}|[0-9a-f]{17})$`),
    maxLength: kind.length + 18,
    expected: `${words} such as \`${kind}-0a1b2c3d4e5f60718\`: \`${kind}-\` and 8 or 17 hexadecimal digits`,
    explain(value) {
      const text = value.trim().toLowerCase();
      const meant = [text, `${kind}-${text}`, text.replace(/^.*\//, '')].find((attempt) =>
        syntax.pattern.test(attempt),
      );
      const other = /^([a-z]+)-[0-9a-f]+$/.exec(text)?.[1];
      return {
        problem:
          other !== undefined && other !== kind ? `is the id of something else` : `is not the id of ${words}`,
        ...(meant === undefined ? {} : { fix: `did you mean \`${meant}\`?` }),
      };
    },
  };
  return syntax;
}

export const vpcId: Syntax = resourceId('vpc', 'a VPC');
export const subnetId: Syntax = resourceId('subnet', 'a subnet');
