import { preflight } from '../../core/steps/create.ts';
import { permissions, quotas } from '../ports/account.ts';
import { releases } from '../ports/bucket.ts';
import { machines } from '../ports/ec2.ts';
import { tagged } from '../ports/tagged.ts';
import { task } from '../task.ts';

export const handler = task('Preflight', preflight, {
  machines: machines(),
  releases: releases(),
  tagged: tagged(),
  quotas: quotas(),
  permissions: permissions(),
});
