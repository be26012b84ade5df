// Before a workload cluster is made: what CAPA will need of the account. Like management.ts, all at once.

import { capaTag } from '../capi/capa-tag.ts';
import type { Ports } from '../petra.ts';
import type { TaggedResource } from '../ports.ts';
import {
  type Answer,
  ask,
  errorFinding,
  findingOf,
  inOrder,
  type PreflightFinding,
  uncheckedFinding,
} from './finding.ts';
import { assessInstanceTypes } from './instance-types.ts';
import { instanceTypesOf, machineGroups } from './machine-groups.ts';
import { assessPermissions, capaActions } from './permissions.ts';
import { countWorkload, type Existing, type PreflightPlan, usedZones } from './plan.ts';
import { assessFamilies, assessQuotas, quotaNames, shownItem } from './quotas.ts';
import { checkK3s } from './releases.ts';
import type { PreflightReport, Subject } from './subject.ts';

export type WorkloadPreflightPorts = Pick<
  Ports,
  'machines' | 'releases' | 'tagged' | 'quotas' | 'permissions'
>;

export async function preflightWorkload(
  ports: WorkloadPreflightPorts,
  subject: Subject,
): Promise<PreflightReport> {
  const { spec, region } = subject;
  const types = instanceTypesOf(spec);
  const network = spec.spec.target.network?.vpcId === undefined ? 'own' : 'existing';
  const [offered, zones, known, found, k3s, denied] = await Promise.all([
    ask(ports.machines.offerings(region, types)),
    ask(ports.machines.zones(region)),
    ask(ports.machines.types(region, types)),
    ask(ports.tagged.find(region, capaTag(subject.name))),
    checkK3s(ports, spec),
    ask(ports.permissions.denied(region, capaActions(network))),
  ]);
  const used = usedZones(spec, zones.value);
  const items = countWorkload({
    spec,
    types: known.value ?? new Map(),
    existing: existingOf(subject, found.value ?? []),
    zones: used,
  });
  const quotas = await ask(ports.quotas.read(region, quotaNames(items)));
  return {
    findings: inOrder([
      // Without offered types nothing can go on.
      ...(offered.silence
        ? [findingOf(offered.silence)]
        : assessInstanceTypes({
            region,
            groups: machineGroups(spec),
            offered: offered.value,
            zones: zones.value ? used : [],
          })),
      ...checkName(subject, found),
      ...k3s,
      ...(zones.silence ? [uncheckedFinding('which zones the region has', zones.silence)] : []),
      ...(known.silence ? [uncheckedFinding('how many vCPUs the types have', known.silence)] : []),
      ...(quotas.silence
        ? [uncheckedFinding('the quotas', quotas.silence)]
        : assessQuotas(items, quotas.value, region)),
      ...assessFamilies(machineGroups(spec), region),
      ...(denied.silence
        ? [uncheckedFinding('what the role of CAPA may do', denied.silence)]
        : assessPermissions({ denied: denied.value, network, region, severity: 'error' })),
    ]),
    plan: {
      zones: zones.value ? used : [],
      items: items.map((item) => shownItem(item, quotas.value ?? new Map())),
      unchecked: uncheckedOf(network),
    },
  };
}

/**
 * CAPA would adopt, and later delete, whatever already carries the name's tag (CAPA #969). Not known is not good enough, until
 * something of this cluster itself may carry it.
 */
function checkName(
  { name, region, materializedUid }: Subject,
  found: Answer<readonly TaggedResource[]>,
): readonly PreflightFinding[] {
  const isOwn = materializedUid !== undefined;
  if (found.silence)
    return [
      isOwn ? uncheckedFinding('what an earlier attempt left', found.silence) : findingOf(found.silence),
    ];
  if (isOwn || found.value.length === 0) return [];
  const message = `${region} already has ${found.value.length} AWS resources of a cluster called "${name}"`;
  return [
    errorFinding('NameTaken', message, {
      path: 'metadata.name',
      fix: 'Choose another metadata.name, or remove what is left of the other cluster.',
      evidence: found.value.map(({ type, id }) => `${type} ${id}`),
    }),
  ];
}

/** Of the machines it is not known which are which: the first are taken for the control plane, which CAPA makes first. */
function existingOf({ spec, materializedUid }: Subject, found: readonly TaggedResource[]): Existing {
  const own = materializedUid === undefined ? [] : found;
  const count = (wanted: string) => own.filter(({ type }) => type === wanted).length;
  const machines = count('ec2:instance');
  const servers = Math.min(machines, spec.spec.nodes.controlPlane.count);
  return {
    servers,
    agents: machines - servers,
    elasticIps: count('ec2:elastic-ip'),
    natGateways: count('ec2:natgateway'),
    vpcs: count('ec2:vpc'),
    internetGateways: count('ec2:internet-gateway'),
    loadBalancers: count('elasticloadbalancing:loadbalancer'),
  };
}

function uncheckedOf(network: 'own' | 'existing'): PreflightPlan['unchecked'] {
  const images = 'whether the region has the Ubuntu images that CAPA looks up for the machines';
  const subnets =
    'whether the subnets are in the VPC, have a way out, and are in zones that offer the instance types';
  return network === 'own' ? [images] : [images, subnets];
}
