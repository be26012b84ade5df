// What the host name of an API tells: where it is, and which API of API Gateway it is.

/**
 * `ID.execute-api.REGION.amazonaws.com`, its form with FIPS (`execute-api-fips`), through a VPC endpoint (`ID-vpce-…`, or
 * `.vpce.` before the domain), and in partitions with other domains.
 */
const apiHost =
  /^(?:([a-z0-9]+)(?:-vpce-[a-z0-9]+)?|vpce-[a-z0-9-]+)\.execute-api(?:-fips)?\.([a-z]+(?:-[a-z]+)+-\d+)\./;

/** The region of an API by its host; undefined for a domain of one's own. */
export function regionOfHost(host: string): string | undefined {
  return apiHost.exec(host.toLowerCase())?.[2];
}

/** The id of an API by its host; undefined when the host does not tell. */
export function apiOfHost(host: string): string | undefined {
  return apiHost.exec(host.toLowerCase())?.[1];
}

const partitions: readonly (readonly [prefix: string, partition: string, domain: string])[] = [
  ['cn-', 'aws-cn', 'amazonaws.com.cn'],
  ['us-gov-', 'aws-us-gov', 'amazonaws.com'],
  ['us-iso-', 'aws-iso', 'c2s.ic.gov'],
  ['us-isob-', 'aws-iso-b', 'sc2s.sgov.gov'],
  ['eusc-', 'aws-eusc', 'amazonaws.eu'],
];

function partitionEntry(region: string) {
  return partitions.find(([prefix]) => region.startsWith(prefix));
}

/** The partition a region belongs to, as in ARNs. */
export function partitionOf(region: string): string {
  return partitionEntry(region)?.[1] ?? 'aws';
}

/** The domain that the services of a region answer under. */
export function domainOf(region: string): string {
  return partitionEntry(region)?.[2] ?? 'amazonaws.com';
}
