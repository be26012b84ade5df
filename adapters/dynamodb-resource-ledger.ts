import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { ResourceRecord } from '../core/fleet.ts';
import type { ResourceLedger } from '../core/ports.ts';
import { DynamoDbItems, type Item } from './dynamodb-items.ts';
import { resourceKey, resourcePrefix } from './dynamodb-table.ts';

type Resource = Parameters<ResourceLedger['intend']>[0];

/**
 * What Petra made, in DynamoDB: one item per natural key in one life of a cluster. When a resource is made again
 * under its key, the item shows the newest one.
 */
export class DynamoDbResourceLedger implements ResourceLedger {
  readonly #items: DynamoDbItems;

  constructor(client: DynamoDBDocumentClient, tableName: string) {
    this.#items = new DynamoDbItems(client, tableName);
  }

  async intend(resource: Resource): Promise<void> {
    // A step that runs again must not forget the id of what its first run made.
    await this.#items.put(keyOf(resource), recordOf({ ...resource, state: 'intended' }), {
      when: 'attribute_not_exists(#pk) OR #state = :removed',
      values: { removed: 'removed' },
    });
  }

  async made(resource: Parameters<ResourceLedger['made']>[0]): Promise<void> {
    await this.#items.put(keyOf(resource), recordOf({ ...resource, state: 'made' }));
  }

  async removed(resource: Resource): Promise<void> {
    const { cluster, uid, type, key, at } = resource;
    // Repeated, it keeps the time of the first removal; the id stays for the record.
    await this.#items.update(keyOf(resource), {
      change: { cluster, uid, type, key, at, state: 'removed' },
      when: 'attribute_not_exists(#pk) OR #state <> :removed',
      values: { removed: 'removed' },
    });
  }

  async list(cluster: string, uid: string): Promise<readonly ResourceRecord[]> {
    const { pk } = resourceKey(cluster, uid, '', '');
    return (await this.#items.query(pk, { prefix: resourcePrefix(uid) })).map(storedRecord);
  }
}

function keyOf({ cluster, uid, type, key }: Resource) {
  return resourceKey(cluster, uid, type, key);
}

/** Only the record's own fields, whatever else the caller's object has. */
function recordOf({ cluster, uid, type, key, state, id, at }: ResourceRecord): Item {
  return { cluster, uid, type, key, state, id, at };
}

/** The record in an item. Only this ledger writes these items, so their shape is known: hence the cast. */
function storedRecord(item: Item): ResourceRecord {
  const { pk, sk, ...record } = item;
  return record as unknown as ResourceRecord;
}
