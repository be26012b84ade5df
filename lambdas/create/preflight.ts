import { preflight } from '../../core/steps/create.ts';
import { machines, permissions, quotas, releases, tagged } from '../ports/preflight.ts';
import { task } from '../task.ts';

export const handler = task('Preflight', preflight, {
  machines: machines(),
  releases: releases(),
  tagged: tagged(),
  quotas: quotas(),
  permissions: permissions(),
});
