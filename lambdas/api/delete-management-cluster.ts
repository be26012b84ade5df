import { deleteManagementCluster } from '../../core/api/writing.ts';
import { systemClock } from '../ports/clock.ts';
import { routeCalls } from '../ports/patience.ts';
import { events, metrics } from '../ports/reports.ts';
import { settings } from '../ports/settings.ts';
import { fleet, ledger, operations } from '../ports/table.ts';
import { destroyWorkflow } from '../ports/workflows.ts';
import { route } from '../route.ts';

export const handler = route(deleteManagementCluster, {
  clock: systemClock,
  settings: settings(),
  fleet: fleet(),
  operations: operations(),
  ledger: ledger(),
  workflows: destroyWorkflow(routeCalls),
  events: events(),
  metrics: metrics(),
});
