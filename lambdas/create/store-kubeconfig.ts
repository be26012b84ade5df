import { storeKubeconfig } from '../../core/steps/create.ts';
import { kubernetesForTasks } from '../ports/kubernetes.ts';
import { secrets } from '../ports/secrets.ts';
import { resources } from '../ports/table.ts';
import { task } from '../task.ts';

export const handler = task('StoreKubeconfig', storeKubeconfig, {
  secrets: secrets(),
  kubernetes: kubernetesForTasks(),
  resources: resources(),
});
