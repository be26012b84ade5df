import { checkNodes } from '../../core/steps/init-machines.ts';
import { kubernetesForTasks } from '../ports/kubernetes.ts';
import { secrets } from '../ports/secrets.ts';
import { task } from '../task.ts';

export const handler = task('CheckNodes', checkNodes, {
  secrets: secrets(),
  kubernetes: kubernetesForTasks(),
});
