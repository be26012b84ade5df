import { postCluster } from '../../core/api/writing.ts';
import { newUid, systemClock } from '../ports/clock.ts';
import { routeCalls } from '../ports/patience.ts';
import { events, metrics } from '../ports/reports.ts';
import { settings } from '../ports/settings.ts';
import { fleet, ledger, operations } from '../ports/table.ts';
import { createWorkflow } from '../ports/workflows.ts';
import { route } from '../route.ts';

export const handler = route(postCluster, {
  clock: systemClock,
  settings: settings(),
  fleet: fleet(),
  operations: operations(),
  ledger: ledger(),
  workflows: createWorkflow(routeCalls),
  events: events(),
  metrics: metrics(),
  newUid,
});
