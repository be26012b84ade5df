import { postPreflight } from '../../core/api/routes.ts';
import { permissions, quotas } from '../ports/account.ts';
import { releases } from '../ports/bucket.ts';
import { systemClock } from '../ports/clock.ts';
import { machines, networks } from '../ports/ec2.ts';
import { settings } from '../ports/settings.ts';
import { fleet } from '../ports/table.ts';
import { tagged } from '../ports/tagged.ts';
import { route } from '../route.ts';

export const handler = route(postPreflight, {
  clock: systemClock,
  settings: settings(),
  fleet: fleet(),
  machines: machines(),
  networks: networks(),
  releases: releases(),
  tagged: tagged(),
  quotas: quotas(),
  permissions: permissions(),
});
