import { getKubeconfig } from '../../core/api/reading.ts';
import { kubernetesForRoutes } from '../ports/kubernetes.ts';
import { routeCalls } from '../ports/patience.ts';
import { secrets } from '../ports/secrets.ts';
import { fleet } from '../ports/table.ts';
import { route } from '../route.ts';

export const handler = route(getKubeconfig, {
  fleet: fleet(),
  secrets: secrets(routeCalls),
  kubernetes: kubernetesForRoutes(),
});
