// Names and ids that look random, as the real ones do, but follow from what they are made for: a step that is
// repeated after the process was killed finds what it made the first time instead of making another.

import { createHash } from 'node:crypto';

/** The alphabet of Kubernetes' generated names: no vowels, no characters that look alike. */
const alphabet = 'bcdfghjklmnpqrstvwxz2456789';

/** A suffix as `metadata.generateName` would append it. */
export function suffix(seed: string, length = 5): string {
  const digest = createHash('sha256').update(seed).digest();
  let text = '';
  for (let i = 0; i < length; i++) text += alphabet[(digest[i] ?? 0) % alphabet.length];
  return text;
}

/** An AWS id such as `i-0a1b2c3d4e5f60718`: a prefix and 17 hexadecimal digits. */
export function awsId(prefix: string, seed: string): string {
  return `${prefix}-0${createHash('sha256').update(`${prefix}/${seed}`).digest('hex').slice(0, 16)}`;
}

/** A number from 0 up to, but not including, `limit`. */
export function pick(seed: string, limit: number): number {
  return createHash('sha256').update(seed).digest().readUInt32BE(0) % limit;
}
