import { applyClusterClass } from '../../core/steps/init-class.ts';
import { kubernetesForTasks } from '../ports/kubernetes.ts';
import { secrets } from '../ports/secrets.ts';
import { task } from '../task.ts';

export const handler = task('ApplyClusterClass', applyClusterClass, {
  secrets: secrets(),
  kubernetes: kubernetesForTasks(),
});
