// Where things are, for all parts of the virtual account.

import path from 'node:path';

export const repository = path.resolve(import.meta.dirname, '../..');
export const node = path.join(repository, 'node_modules', '.bin', 'node');

/** Of the user's two specs. */
export const region = 'us-west-1';
export const stackName = 'petra';
