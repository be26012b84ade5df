/** Instance families that share a quota of running On-Demand vCPUs. */
export interface VcpuFamily {
  readonly title: string;
  /** Code in Service Quotas. */
  readonly quotaCode: string;
  readonly prefixes: readonly string[];
}

/** docs.aws.amazon.com, EC2 User Guide, "On-Demand Instance quotas"; as of November 2026. */
const families: readonly VcpuFamily[] = [
  {
    title: 'Standard',
    quotaCode: 'L-1216C47A',
    // Im and Is are of the family I.
    prefixes: ['a', 'c', 'd', 'h', 'i', 'im', 'is', 'm', 'r', 't', 'z'],
  },
  { title: 'DL', quotaCode: 'L-6E869C2A', prefixes: ['dl'] },
  { title: 'F', quotaCode: 'L-74FC7D96', prefixes: ['f'] },
  { title: 'G and VT', quotaCode: 'L-DB2E81BA', prefixes: ['g', 'gr', 'vt'] },
  { title: 'High Memory', quotaCode: 'L-43DA4232', prefixes: ['u'] },
  { title: 'HPC', quotaCode: 'L-F7808C92', prefixes: ['hpc'] },
  { title: 'Inf', quotaCode: 'L-1945791B', prefixes: ['inf'] },
  { title: 'P', quotaCode: 'L-417A185B', prefixes: ['p'] },
  { title: 'Trn', quotaCode: 'L-2C3B7624', prefixes: ['trn'] },
  { title: 'X', quotaCode: 'L-7295265B', prefixes: ['x'] },
];

/** The family whose quota an instance type counts against: by the letters before its generation. Undefined for a new one. */
export function vcpuFamilyOf(instanceType: string): VcpuFamily | undefined {
  const letters = instanceType.replace(/[^a-z].*$/, '');
  return families.find(({ prefixes }) => prefixes.includes(letters));
}

/** The only family whose quota and use Petra reads. */
export const standardFamily = 'Standard';
