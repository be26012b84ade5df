import { postManagementCluster } from '../../core/api/writing.ts';
import { newUid, systemClock } from '../ports/clock.ts';
import { routeCalls } from '../ports/patience.ts';
import { events, metrics } from '../ports/reports.ts';
import { settings } from '../ports/settings.ts';
import { fleet, ledger, operations } from '../ports/table.ts';
import { initWorkflow } from '../ports/workflows.ts';
import { route } from '../route.ts';

export const handler = route(postManagementCluster, {
  clock: systemClock,
  settings: settings(),
  fleet: fleet(),
  operations: operations(),
  ledger: ledger(),
  workflows: initWorkflow(routeCalls),
  events: events(),
  metrics: metrics(),
  newUid,
});
