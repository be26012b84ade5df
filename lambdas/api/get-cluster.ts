import { getCluster } from '../../core/api/reading.ts';
import { systemClock } from '../ports/clock.ts';
import { fleet, operations, resources } from '../ports/table.ts';
import { route } from '../route.ts';

export const handler = route(getCluster, {
  fleet: fleet(),
  operations: operations(),
  resources: resources(),
  clock: systemClock,
});
