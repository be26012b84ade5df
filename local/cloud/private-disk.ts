import { chmod, mkdir } from 'node:fs/promises';
import { Disk } from '../disk.ts';

/**
 * Opens a disk whose folder only its user may enter: it holds secrets in clear text. A folder that others could
 * enter is closed to them.
 */
export async function openPrivateDisk(folder: string): Promise<Disk> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await chmod(folder, 0o700);
  return Disk.open(folder);
}
