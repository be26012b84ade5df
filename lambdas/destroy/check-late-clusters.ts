import { checkLateClusters } from '../../core/steps/destroy.ts';
import { kubernetesForTasks } from '../ports/kubernetes.ts';
import { secrets } from '../ports/secrets.ts';
import { task } from '../task.ts';

export const handler = task('CheckLateClusters', checkLateClusters, {
  secrets: secrets(),
  kubernetes: kubernetesForTasks(),
});
