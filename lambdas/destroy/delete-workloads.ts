import { deleteWorkloads } from '../../core/steps/destroy.ts';
import { events, metrics } from '../ports/reports.ts';
import { deleteWorkflow } from '../ports/workflows.ts';
import { task } from '../task.ts';

export const handler = task('DeleteWorkloads', deleteWorkloads, {
  workflows: deleteWorkflow(),
  events: events(),
  metrics: metrics(),
});
