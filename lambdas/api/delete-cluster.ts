import { deleteCluster } from '../../core/api/writing.ts';
import { systemClock } from '../ports/clock.ts';
import { routeCalls } from '../ports/patience.ts';
import { events, metrics } from '../ports/reports.ts';
import { settings } from '../ports/settings.ts';
import { fleet, ledger, operations } from '../ports/table.ts';
import { deleteWorkflow } from '../ports/workflows.ts';
import { route } from '../route.ts';

export const handler = route(deleteCluster, {
  clock: systemClock,
  settings: settings(),
  fleet: fleet(),
  operations: operations(),
  ledger: ledger(),
  workflows: deleteWorkflow(routeCalls),
  events: events(),
  metrics: metrics(),
});
