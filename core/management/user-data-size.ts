import { gzipSync } from 'node:zlib';
import { PetraError } from '../errors.ts';

/** EC2's limit on user data, as it is sent (compressed, before base64). */
export const userDataLimitBytes = 16_384;

/** User data as it goes to EC2, but for its base64: the same bytes for the same text. @throws UserDataTooLarge */
export function packUserData({
  name,
  userData,
}: {
  readonly name: string;
  readonly userData: string;
}): Buffer {
  const packed = gzipSync(userData, { level: 9 });
  if (packed.length <= userDataLimitBytes) return packed;
  throw new PetraError(
    'UserDataTooLarge',
    `the user data of ${name} has ${packed.length} bytes after compression, of at most ${userDataLimitBytes}`,
  );
}
