import { postPreflight } from '../../core/api/writing.ts';
import { systemClock } from '../ports/clock.ts';
import { machines, networks, permissions, quotas, releases, tagged } from '../ports/preflight.ts';
import { settings } from '../ports/settings.ts';
import { fleet } from '../ports/table.ts';
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
