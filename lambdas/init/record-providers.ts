import { recordProviders } from '../../core/steps/init-providers.ts';
import { kubernetesForTasks } from '../ports/kubernetes.ts';
import { secrets } from '../ports/secrets.ts';
import { task } from '../task.ts';

export const handler = task('RecordProviders', recordProviders, {
  secrets: secrets(),
  kubernetes: kubernetesForTasks(),
});
