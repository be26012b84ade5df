import type { Machines, Networks, Permissions, Quotas, Releases, TaggedResources } from '../../core/ports.ts';
import * as account from './account.ts';
import * as bucket from './bucket.ts';
import * as ec2 from './ec2.ts';
import * as tags from './tagged.ts';
import { preflightLimits, within } from './time-limit.ts';

const { aws } = preflightLimits;

// What a preflight asks, with an answer in time or none.

export function machines(): Machines {
  return within(ec2.machines(), aws);
}

export function networks(): Networks {
  return within(ec2.networks(), aws);
}

export function quotas(): Quotas {
  return within(account.quotas(), aws);
}

export function permissions(): Permissions {
  return within(account.permissions(), aws);
}

export function tagged(): TaggedResources {
  return within(tags.tagged(), aws);
}

export function releases(): Releases {
  return within(bucket.releases(), preflightLimits.releases, 'ReleaseUnreachable');
}
