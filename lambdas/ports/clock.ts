import { randomBytes, randomUUID } from 'node:crypto';
import type { Clock } from '../../core/ports.ts';

export const systemClock: Clock = { now: () => new Date() };

export const newUid: () => string = randomUUID;

/** 256 bits, as a management node's join token. */
export function newToken(): string {
  return randomBytes(32).toString('hex');
}
