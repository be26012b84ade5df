import { checkCertManager } from '../../core/steps/init-providers.ts';
import { artifacts } from '../ports/bucket.ts';
import { kubernetesForTasks } from '../ports/kubernetes.ts';
import { secrets } from '../ports/secrets.ts';
import { task } from '../task.ts';

export const handler = task('CheckCertManager', checkCertManager, {
  secrets: secrets(),
  kubernetes: kubernetesForTasks(),
  artifacts: artifacts(),
});
