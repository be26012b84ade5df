import { preflight } from '../../core/steps/init-preflight.ts';
import { machines, networks, permissions, quotas, releases } from '../ports/preflight.ts';
import { task } from '../task.ts';

export const handler = task('Preflight', preflight, {
  machines: machines(),
  networks: networks(),
  releases: releases(),
  quotas: quotas(),
  permissions: permissions(),
});
