import { expect } from 'vitest';

/** Expects something of what `read` will answer, sooner or later. */
export function eventually(read: () => unknown) {
  return expect.poll(read, { timeout: 10_000, interval: 5 });
}
