import { mendOperations } from '../../core/steps/mend-operations.ts';
import { newUid, systemClock } from '../ports/clock.ts';
import { events, metrics } from '../ports/reports.ts';
import { settings } from '../ports/settings.ts';
import { fleet, ledger, operations } from '../ports/table.ts';
import { everyWorkflow } from '../ports/workflows.ts';
import { sweep } from '../sweep.ts';

export const handler = sweep(
  'MendOperations',
  mendOperations,
  {
    clock: systemClock,
    settings: settings(),
    fleet: fleet(),
    operations: operations(),
    ledger: ledger(),
    workflows: everyWorkflow(),
    events: events(),
    metrics: metrics(),
    newUid,
  },
  ({ items, resumed, staleLocks }) => ({ managementClusters: items.length, resumed, staleLocks }),
);
