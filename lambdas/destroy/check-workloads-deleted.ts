import { checkWorkloadsDeleted } from '../../core/steps/destroy.ts';
import { events, metrics } from '../ports/reports.ts';
import { deleteWorkflow } from '../ports/workflows.ts';
import { task } from '../task.ts';

export const handler = task('CheckWorkloadsDeleted', checkWorkloadsDeleted, {
  workflows: deleteWorkflow(),
  events: events(),
  metrics: metrics(),
});
