import { getClusters } from '../../core/api/reading.ts';
import { systemClock } from '../ports/clock.ts';
import { fleet } from '../ports/table.ts';
import { route } from '../route.ts';

export const handler = route(getClusters, { fleet: fleet(), clock: systemClock });
