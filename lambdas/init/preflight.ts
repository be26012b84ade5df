import { preflight } from '../../core/steps/init-preflight.ts';
import { permissions, quotas } from '../ports/account.ts';
import { releases } from '../ports/bucket.ts';
import { machines, networks } from '../ports/ec2.ts';
import { task } from '../task.ts';

export const handler = task('Preflight', preflight, {
  machines: machines(),
  networks: networks(),
  releases: releases(),
  quotas: quotas(),
  permissions: permissions(),
});
