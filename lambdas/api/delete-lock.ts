import { deleteLock } from '../../core/api/writing.ts';
import { systemClock } from '../ports/clock.ts';
import { events, metrics } from '../ports/reports.ts';
import { fleet, ledger, operations } from '../ports/table.ts';
import { route } from '../route.ts';

export const handler = route(deleteLock, {
  fleet: fleet(),
  operations: operations(),
  ledger: ledger(),
  clock: systemClock,
  events: events(),
  metrics: metrics(),
});
