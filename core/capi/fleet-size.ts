// How many objects each controller works on at once. The defaults of most releases are made for a handful of clusters:
// the k3s providers take one object at a time, so that one cluster that does not answer holds up all others.
//
// Made for some hundred clusters on a management node with 4 cores. Workers that have nothing to do cost nothing. What
// loads a node is requests, and those stay limited: by the rates below, by controller-runtime's 20 a second for the k3s
// providers and CAPA, and towards AWS by CAPA's own limits (its pkg/cloud/scope/session.go: 20 a second for reading, 5
// for the rest, for each region).

import { isObject, listAt, recordAt } from '../json-fields.ts';
import type { KubernetesObject } from '../ports.ts';
import type { ProviderKey } from './providers.ts';

interface ControllerFlag {
  readonly flag: string;
  readonly value: number;
  /** The lines whose controller knows the flag and needs it: an unknown flag ends a controller at once. */
  readonly from: string;
  readonly before?: string;
}

// Cluster API's own defaults from 1.13 on, which it chose after measuring fleets (core/main.go of v1.13.0; until
// then 10, and 20 requests a second: main.go of v1.8.0, v1.9.5, v1.10.0, v1.11.0 and v1.12.0). Newer ones keep theirs.
// But for topologies, which stay at 10: each is a hundred requests in a row, and 50 at once made a small node so slow
// that its caches lagged behind, and Cluster API made parts twice (core/steps/cluster-parts.ts).
const clusterApi = { from: '1.8', before: '1.13' };

// Not before 0.3: bootstrap/main.go and controlplane/main.go of v0.2.1 have no such flag, those of v0.3.1 and v0.4.0 do.
const k3s = { from: '0.3' };

// main.go of v2.7.2 and v2.12.1, with the defaults 5 and 10. Making a network waits in place until its NAT gateways
// are there, which takes minutes (pkg/cloud/services/network/natgateways.go): five at once would be all that is made.
const aws = { from: '2.7' };

/** What Petra sets, by provider. */
export const controllerFlags: Readonly<Record<ProviderKey, readonly ControllerFlag[]>> = {
  'cluster-api': [
    { flag: 'cluster-concurrency', value: 50, ...clusterApi },
    { flag: 'machinedeployment-concurrency', value: 50, ...clusterApi },
    { flag: 'machineset-concurrency', value: 50, ...clusterApi },
    { flag: 'machine-concurrency', value: 100, ...clusterApi },
    { flag: 'machinehealthcheck-concurrency', value: 50, ...clusterApi },
    { flag: 'kube-api-qps', value: 100, ...clusterApi },
    { flag: 'kube-api-burst', value: 200, ...clusterApi },
  ],
  // A few requests for each object: more workers than this would only wait for the 20 requests a second.
  'bootstrap-k3s': [{ flag: 'concurrency', value: 10, ...k3s }],
  // Each asks its workload cluster, and waits 10 s for an etcd that does not answer.
  'control-plane-k3s': [{ flag: 'concurrency', value: 50, ...k3s }],
  'infrastructure-aws': [
    { flag: 'awscluster-concurrency', value: 50, ...aws },
    { flag: 'awsmachine-concurrency', value: 50, ...aws },
  ],
};

/** The provider's object with its controller made fit for a fleet. A flag that the release sets itself stays as it is. */
export function fitForFleet(
  object: KubernetesObject,
  provider: ProviderKey,
  version: string,
): KubernetesObject {
  const flags = controllerFlags[provider].filter(({ from, before }) => isWithin(version, from, before));
  if (object.kind !== 'Deployment' || flags.length === 0) return object;
  const spec = recordAt(object, 'spec');
  const template = recordAt(spec, 'template');
  const podSpec = recordAt(template, 'spec');
  const containers = listAt(podSpec, 'containers').map((container) =>
    // The k3s providers up to 0.3 have a proxy of metrics beside it.
    isObject(container) && container.name === 'manager' ? withFlags(container, flags) : container,
  );
  return { ...object, spec: { ...spec, template: { ...template, spec: { ...podSpec, containers } } } };
}

function withFlags(
  container: Readonly<Record<string, unknown>>,
  flags: readonly ControllerFlag[],
): Readonly<Record<string, unknown>> {
  const given = listAt(container, 'args');
  const isGiven = (flag: string) =>
    given.some((arg) => typeof arg === 'string' && arg.replace(/^--?/, '').split('=')[0] === flag);
  const added = flags.filter(({ flag }) => !isGiven(flag)).map(({ flag, value }) => `--${flag}=${value}`);
  return { ...container, args: [...given, ...added] };
}

/** Whether the version's line is `from` or later, and earlier than `before`. */
function isWithin(version: string, from: string, before: string | undefined): boolean {
  const line = lineNumbers(version.replace(/^v/, ''));
  const isBelow = (limit: string) => {
    const [major, minor] = lineNumbers(limit);
    return line[0] < major || (line[0] === major && line[1] < minor);
  };
  return !isBelow(from) && (before === undefined || isBelow(before));
}

function lineNumbers(version: string): readonly [number, number] {
  const [major = '', minor = ''] = version.split('.');
  return [Number.parseInt(major, 10), Number.parseInt(minor, 10)];
}
