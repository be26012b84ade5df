import { checkWorkloads } from '../../core/steps/destroy.ts';
import { kubernetesForTasks } from '../ports/kubernetes.ts';
import { secrets } from '../ports/secrets.ts';
import { task } from '../task.ts';

export const handler = task('CheckWorkloads', checkWorkloads, {
  secrets: secrets(),
  kubernetes: kubernetesForTasks(),
});
