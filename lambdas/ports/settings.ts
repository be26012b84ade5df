import { PetraError } from '../../core/errors.ts';
import { defaultLimits, type Settings } from '../../core/petra.ts';
import { optionalEnv, requireEnv } from '../env.ts';

/** The settings of a deployed Petra. */
export function settings(): Settings {
  const k3sReleasesUrl = optionalEnv('K3S_RELEASES_URL');
  return {
    mode: modeOf(requireEnv('PETRA_MODE')),
    version: requireEnv('PETRA_VERSION'),
    region: requireEnv('AWS_REGION'),
    limits: defaultLimits,
    // Longer than any Task's timeout with its retries plus any Wait: test/state-machines/definitions.test.ts.
    leaseSeconds: 15 * 60,
    ...(k3sReleasesUrl === undefined ? {} : { k3sReleasesUrl }),
    providerVariables: {},
  };
}

function modeOf(text: string): Settings['mode'] {
  if (text === 'aws' || text === 'aws-us-gov') return text;
  throw new PetraError('InternalError', `PETRA_MODE is "${text}", not aws or aws-us-gov`);
}
