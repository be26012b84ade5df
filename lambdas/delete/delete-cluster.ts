import { deleteCluster } from '../../core/steps/delete.ts';
import { kubernetesForTasks } from '../ports/kubernetes.ts';
import { secrets } from '../ports/secrets.ts';
import { task } from '../task.ts';

export const handler = task('DeleteCluster', deleteCluster, {
  secrets: secrets(),
  kubernetes: kubernetesForTasks(),
});
