// Before a management cluster is made. Every check asks on its own, all at once, and answers with findings. How long an answer
// may take is for the composition root to limit: core has no timer.

import { architectureOf } from '../capi/instance-architecture.ts';
import type { ManagementVersions } from '../capi/spec-schema.ts';
import type { Ports } from '../petra.ts';
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
import { countManagement, type Existing, nothing } from './plan.ts';
import { assessFamilies, assessQuotas, quotaNames, shownItem } from './quotas.ts';
import { checkComponents, checkK3s, checkVersions } from './releases.ts';
import type { PreflightReport, Subject } from './subject.ts';

export type ManagementPreflightPorts = Pick<
  Ports,
  'clock' | 'settings' | 'machines' | 'networks' | 'releases' | 'quotas' | 'permissions'
>;

export async function preflightManagement(
  ports: ManagementPreflightPorts,
  subject: Subject,
  versions: ManagementVersions,
): Promise<PreflightReport> {
  const { spec, region } = subject;
  const [components, k3s, machines, permissions, counted] = await Promise.all([
    checkComponents(ports, versions),
    checkK3s(ports, spec),
    checkMachines(ports, subject),
    checkPermissions(ports, region),
    count(ports, subject),
  ]);
  return {
    findings: inOrder([
      ...checkRegion(ports, region),
      ...checkVersions(ports, versions, spec.spec.kubernetes.version),
      ...components,
      ...k3s,
      ...machines,
      ...counted.findings,
      ...permissions,
    ]),
    plan: counted.plan,
  };
}

function checkRegion({ settings }: Pick<Ports, 'settings'>, region: string): readonly PreflightFinding[] {
  if (settings.region === undefined || settings.region === region) return [];
  const path = 'spec.target.region';
  const message = `the spec asks for ${region}, and this Petra works in ${settings.region}`;
  return [errorFinding('RegionMismatch', message, { path })];
}

/** Without instance types and an image, nothing can go on: what cannot be asked here is an error. */
async function checkMachines(
  { machines }: Pick<Ports, 'machines'>,
  { spec, region }: Subject,
): Promise<readonly PreflightFinding[]> {
  const types = instanceTypesOf(spec);
  const architectures = [...new Set(types.map(architectureOf))];
  const [offered, ...images] = await Promise.all([
    ask(machines.offerings(region, types)),
    ...architectures.map((architecture) => ask(machines.image(region, architecture))),
  ]);
  return [
    ...(offered.silence
      ? [findingOf(offered.silence)]
      : assessInstanceTypes({ region, groups: machineGroups(spec), offered: offered.value, zones: [] })),
    ...images.flatMap(({ silence }) => (silence ? [findingOf(silence)] : [])),
  ];
}

/** The role is the same for all its workload clusters, and of a management cluster that cannot make any nobody has much. */
async function checkPermissions(
  { permissions }: Pick<Ports, 'permissions'>,
  region: string,
): Promise<readonly PreflightFinding[]> {
  const { value: denied, silence } = await ask(permissions.denied(region, capaActions('own')));
  if (silence) return [uncheckedFinding('what the role of CAPA may do', silence)];
  return assessPermissions({ denied, network: 'own', region, severity: 'warning' });
}

async function count(
  ports: Pick<Ports, 'machines' | 'networks' | 'quotas'>,
  subject: Subject,
): Promise<PreflightReport> {
  const { spec, region } = subject;
  const [types, existing] = await Promise.all([
    ask(ports.machines.types(region, instanceTypesOf(spec))),
    ask(existingOf(ports, subject)),
  ]);
  const items = countManagement({
    spec,
    types: types.value ?? new Map(),
    existing: existing.value ?? nothing,
    publicAddresses: ports.networks.publicAddresses,
  });
  const quotas = await ask(ports.quotas.read(region, quotaNames(items)));
  return {
    findings: [
      ...unless(types, 'how many vCPUs the instance types have'),
      ...unless(existing, 'what an earlier attempt left'),
      ...(quotas.silence
        ? [uncheckedFinding('the quotas', quotas.silence)]
        : assessQuotas(items, quotas.value, region)),
      ...assessFamilies(machineGroups(spec), region),
    ],
    plan: {
      zones: [],
      items: items.map((item) => shownItem(item, quotas.value ?? new Map())),
      unchecked: ['in which zones the subnets of management nodes are, and whether each offers the types'],
    },
  };
}

function unless(answer: Answer<unknown>, what: string): readonly PreflightFinding[] {
  return answer.silence ? [uncheckedFinding(what, answer.silence)] : [];
}

async function existingOf(
  { machines, networks }: Pick<Ports, 'machines' | 'networks'>,
  { region, materializedUid: uid }: Subject,
): Promise<Existing> {
  if (uid === undefined) return nothing;
  const [living, addresses] = await Promise.all([
    machines.list(region, uid),
    networks.listPublicAddresses(region, uid),
  ]);
  const servers = living.filter(({ role }) => role === 'server').length;
  return { ...nothing, servers, agents: living.length - servers, elasticIps: addresses.length };
}
