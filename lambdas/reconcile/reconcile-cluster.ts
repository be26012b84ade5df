import { reconcileCluster } from '../../core/steps/reconcile.ts';
import { systemClock } from '../ports/clock.ts';
import { kubernetesForTasks } from '../ports/kubernetes.ts';
import { secrets } from '../ports/secrets.ts';
import { fleet, ledger } from '../ports/table.ts';
import { sweep } from '../sweep.ts';

export const handler = sweep(
  'ReconcileCluster',
  reconcileCluster,
  {
    fleet: fleet(),
    ledger: ledger(),
    secrets: secrets(),
    kubernetes: kubernetesForTasks(),
    clock: systemClock,
  },
  ({ news, ...numbers }) => ({ ...numbers, news: news.length }),
);
