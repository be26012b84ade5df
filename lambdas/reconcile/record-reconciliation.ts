import { recordReconciliation } from '../../core/steps/reconcile.ts';
import { events, metrics } from '../ports/reports.ts';
import { sweep } from '../sweep.ts';

export const handler = sweep(
  'RecordReconciliation',
  recordReconciliation,
  { events: events(), metrics: metrics() },
  (numbers) => numbers,
);
