import { randomBytes } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { packUserData, userDataLimitBytes } from '../../../core/management/user-data-size.ts';

test('user data is packed to the same bytes each time, and unpacks to itself', () => {
  const node = { name: 'server-0', userData: '#cloud-config\n# größer\n' };
  const packed = packUserData(node);
  expect(packUserData(node)).toEqual(packed);
  expect(gunzipSync(packed).toString()).toBe(node.userData);
});

test('user data of more than EC2 takes is refused with its size and its node', () => {
  const userData = randomBytes(userDataLimitBytes).toString('base64');
  expect(() => packUserData({ name: 'server-0', userData })).toThrow(
    /the user data of server-0 has \d+ bytes after compression, of at most 16384/,
  );
});
