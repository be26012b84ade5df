import type { LedgerEvent } from './fleet.ts';
import type { Ports } from './petra.ts';

/**
 * Tells the world outside what the ledger already holds. An operation does not fail because nobody could be told: that
 * is counted, and the stack has an alarm on it.
 */
export async function announce(
  ports: Pick<Ports, 'events' | 'metrics'>,
  event: Omit<LedgerEvent, 'seq'>,
): Promise<void> {
  await ports.events.publish(event).catch(() => ports.metrics.record({ EventsLost: 1 }));
}
