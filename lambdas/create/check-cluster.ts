import { checkCluster } from '../../core/steps/create.ts';
import { kubernetesForTasks } from '../ports/kubernetes.ts';
import { secrets } from '../ports/secrets.ts';
import { task } from '../task.ts';

export const handler = task('CheckCluster', checkCluster, {
  secrets: secrets(),
  kubernetes: kubernetesForTasks(),
});
