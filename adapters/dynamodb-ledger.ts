import { randomBytes } from 'node:crypto';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { PetraError } from '../core/errors.ts';
import type { LedgerEvent } from '../core/fleet.ts';
import type { Ledger, Page } from '../core/ports.ts';
import { DynamoDbItems, type Item } from './dynamodb-items.ts';
import { cutText, pageSize } from './dynamodb-limits.ts';
import { eventKey, eventPrefix } from './dynamodb-table.ts';

/** A position is `<at>#<seq>`; a time alone asks for everything from then on. */
const positionPattern = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z(#[0-9a-f-]*)?$/;

/** Each cluster's history in DynamoDB, one item per event, never changed. */
export class DynamoDbLedger implements Ledger {
  readonly #items: DynamoDbItems;
  #appended = 0;

  constructor(client: DynamoDBDocumentClient, tableName: string) {
    this.#items = new DynamoDbItems(client, tableName);
  }

  async append(event: Omit<LedgerEvent, 'seq'>): Promise<void> {
    // The count orders this writer's events of one instant; the random part sets them apart from other writers'.
    const count = String(this.#appended++).padStart(9, '0');
    const seq = `${count}-${randomBytes(6).toString('hex')}`;
    // Refused only when it is there already, because the SDK repeated a request whose answer was lost.
    await this.#items.put(
      eventKey(event.cluster, `${event.at}#${seq}`),
      { ...event, seq, ...(event.message !== undefined && { message: cutText(event.message) }) },
      { when: 'attribute_not_exists(#pk)' },
    );
  }

  /** @throws InvalidRequest when `after` is not a position. */
  async list(cluster: string, query: Parameters<Ledger['list']>[1]): Promise<Page<LedgerEvent>> {
    const { after } = query;
    if (after !== undefined && !positionPattern.test(after)) {
      throw new PetraError(
        'InvalidRequest',
        `not a position in the ledger: ${JSON.stringify(cutText(after, 80))}`,
        {
          fix: 'Pass the cursor of the page before, or a time like 2026-01-31T12:00:00.000Z.',
        },
      );
    }
    const size = pageSize(query.limit);
    const { pk } = eventKey(cluster, '');
    const items = await this.#items.query(pk, {
      prefix: eventPrefix,
      after: after === undefined ? undefined : eventKey(cluster, after).sk,
      limit: size + 1,
    });
    const events = items.slice(0, size).map(eventOf);
    const last = events.at(-1);
    return { items: events, ...(last && items.length > size && { cursor: `${last.at}#${last.seq}` }) };
  }
}

/** The event in an item. Only this ledger writes these items, so their shape is known: hence the cast. */
function eventOf(item: Item): LedgerEvent {
  const { pk, sk, ...event } = item;
  return event as unknown as LedgerEvent;
}
