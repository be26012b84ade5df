import { getObjects } from '../../core/api/reading.ts';
import { systemClock } from '../ports/clock.ts';
import { kubernetesForRoutes } from '../ports/kubernetes.ts';
import { routeCalls } from '../ports/patience.ts';
import { secrets } from '../ports/secrets.ts';
import { fleet, operations, resources } from '../ports/table.ts';
import { route } from '../route.ts';

export const handler = route(getObjects, {
  fleet: fleet(),
  operations: operations(),
  resources: resources(),
  clock: systemClock,
  secrets: secrets(routeCalls),
  kubernetes: kubernetesForRoutes(),
});
