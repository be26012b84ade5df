// Reading and writing items of the one table. Every error leaves here as a PetraError.

import { setTimeout as delay } from 'node:timers/promises';
import {
  BatchGetCommand,
  type DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  QueryCommand,
  UpdateCommand,
} from '@aws-sdk/lib-dynamodb';
import { PetraError } from '../core/errors.ts';
import { isConditionFailure, translateDynamoDbError } from './dynamodb-errors.ts';
import type { indexes, Key } from './dynamodb-table.ts';

/** An item as it is stored: plain JSON values, sets, and the key. */
export type Item = Readonly<Record<string, unknown>>;

/** One conditional write of some fields of one item. Expressions name every field with `#`, whatever is reserved. */
export interface Update {
  /** Fields to set as they are; `null` removes one, `undefined` leaves it. */
  readonly change?: Readonly<Record<string, unknown>>;
  /** More to set, in DynamoDB's words, for what depends on the present value or lies inside a field. */
  readonly set?: readonly string[];
  /** What to add to a set, in DynamoDB's words. */
  readonly add?: string;
  readonly when: string;
  /** Values of the expressions' `:names`. */
  readonly values?: Readonly<Record<string, unknown>>;
  /** What a `#name` stands for when it is not itself, for example a step's name with a `?`. */
  readonly names?: Readonly<Record<string, string>>;
}

/** A range of an index: the items of one partition in the order of their positions. */
export interface Listing {
  readonly index: keyof typeof indexes;
  readonly value: string;
  /** Exclusive: the position of the last item seen. */
  readonly after?: string | undefined;
  readonly order: 'ascending' | 'descending';
}

/** What an index holds of an item: where it was when it was written there. */
export interface IndexEntry extends Key, Pick<Listing, 'index' | 'value'> {
  readonly position: string;
}

// DynamoDB's own limit for one BatchGetItem.
const batchSize = 100;
// A batch that makes no progress was throttled, which the SDK does not see: up to 50, 100, 200, 400 ms more.
const batchRetries = 4;
const batchDelayMilliseconds = 50;

export class DynamoDbItems {
  readonly #client: DynamoDBDocumentClient;
  readonly #tableName: string;

  constructor(client: DynamoDBDocumentClient, tableName: string) {
    this.#client = client;
    this.#tableName = tableName;
  }

  /** The item, strongly consistent. */
  async read(key: Key): Promise<Item | undefined> {
    const command = new GetCommand({ TableName: this.#tableName, Key: key, ConsistentRead: true });
    const { Item: item } = await this.#try(`read ${key.pk}`, () => this.#client.send(command));
    return item;
  }

  /** Writes a whole item; `false` when the condition does not hold. */
  async put(key: Key, item: Item, when?: Pick<Update, 'when' | 'values'>): Promise<boolean> {
    const command = new PutCommand({
      TableName: this.#tableName,
      Item: { ...item, ...key },
      ...(when && { ConditionExpression: when.when, ...placeholders([when.when], when) }),
    });
    return (await this.#tryIf(`write ${key.pk}`, () => this.#client.send(command))) !== undefined;
  }

  /** Changes an item and returns it as it is afterwards; `undefined` when the condition does not hold. */
  async update(key: Key, update: Update): Promise<Item | undefined> {
    const changes = Object.entries(update.change ?? {}).filter(([, value]) => value !== undefined);
    const kept = changes.filter(([, value]) => value !== null);
    const sets = [...kept.map(([field]) => `#${field} = :new_${field}`), ...(update.set ?? [])];
    const removed = changes.filter(([, value]) => value === null).map(([field]) => `#${field}`);
    const expression = [
      sets.length > 0 ? `SET ${sets.join(', ')}` : '',
      removed.length > 0 ? `REMOVE ${removed.join(', ')}` : '',
      update.add ? `ADD ${update.add}` : '',
    ].join(' ');
    const values = {
      ...update.values,
      ...Object.fromEntries(kept.map(([field, value]) => [`new_${field}`, value])),
    };
    const command = new UpdateCommand({
      TableName: this.#tableName,
      Key: key,
      UpdateExpression: expression.trim(),
      ConditionExpression: update.when,
      ...placeholders([expression, update.when], { ...update, values }),
      ReturnValues: 'ALL_NEW',
    });
    return (await this.#tryIf(`change ${key.pk}`, () => this.#client.send(command)))?.Attributes;
  }

  /** Items of one partition whose sort key begins with `prefix`, oldest first, strongly consistent. */
  async query(
    pk: string,
    range: { readonly prefix: string; readonly after?: string | undefined; readonly limit?: number },
  ): Promise<Item[]> {
    const input = {
      KeyConditionExpression: '#pk = :pk AND begins_with(#sk, :prefix)',
      ExpressionAttributeNames: { '#pk': 'pk', '#sk': 'sk' },
      ExpressionAttributeValues: { ':pk': pk, ':prefix': range.prefix },
      ConsistentRead: true,
    };
    return this.#pages(input, range.limit, range.after === undefined ? undefined : { pk, sk: range.after });
  }

  /** Keys of an index, in order; may lag a write by moments. */
  async entries(listing: Listing, limit: number): Promise<IndexEntry[]> {
    const ascending = listing.order === 'ascending';
    const beyond = listing.after === undefined ? '' : ` AND #position ${ascending ? '>' : '<'} :after`;
    const condition = `#${listing.index} = :value${beyond}`;
    const items = await this.#pages(
      {
        IndexName: `by-${listing.index}`,
        KeyConditionExpression: condition,
        ...placeholders([condition], { values: { value: listing.value, after: listing.after } }),
        ScanIndexForward: ascending,
      },
      limit,
    );
    return items.map((item) => ({
      index: listing.index,
      value: listing.value,
      pk: String(item.pk),
      sk: String(item.sk),
      position: String(item.position),
    }));
  }

  /** The items behind index entries, in their order, strongly consistent. One that left the index since is left out. */
  async readMany(entries: readonly IndexEntry[]): Promise<Item[]> {
    const found = new Map<string, Item>();
    for (let start = 0; start < entries.length; start += batchSize) {
      const keys = entries.slice(start, start + batchSize).map(({ pk, sk }) => ({ pk, sk }));
      for (const item of await this.#batch(keys)) found.set(String(item.pk), item);
    }
    return entries.flatMap(({ pk, position, index, value }) => {
      const item = found.get(pk);
      return item?.position === position && item[index] === value ? [item] : [];
    });
  }

  async #batch(keys: readonly Key[]): Promise<Item[]> {
    const items: Item[] = [];
    let wanted: Record<string, unknown>[] = keys.map((key) => ({ ...key }));
    let idle = 0;
    while (wanted.length > 0) {
      const command = new BatchGetCommand({
        RequestItems: { [this.#tableName]: { Keys: wanted, ConsistentRead: true } },
      });
      const { Responses, UnprocessedKeys } = await this.#try('read a page of items', () =>
        this.#client.send(command),
      );
      items.push(...(Responses?.[this.#tableName] ?? []));
      const left = UnprocessedKeys?.[this.#tableName]?.Keys ?? [];
      // An answer of 16 MB leaves keys over as well; then the rest is asked for at once.
      idle = left.length < wanted.length ? 0 : idle + 1;
      if (idle > batchRetries) {
        throw new PetraError('Throttled', `cannot read a page of items of table ${this.#tableName}`);
      }
      if (idle > 0) await delay(Math.random() * batchDelayMilliseconds * 2 ** (idle - 1));
      wanted = left;
    }
    return items;
  }

  /** Follows DynamoDB's pages of 1 MB until there are `limit` items or no more. */
  async #pages(
    input: Omit<ConstructorParameters<typeof QueryCommand>[0], 'TableName'>,
    limit = Number.POSITIVE_INFINITY,
    from?: Key,
  ): Promise<Item[]> {
    const items: Item[] = [];
    let start: Record<string, unknown> | undefined = from && { ...from };
    do {
      const command = new QueryCommand({
        ...input,
        TableName: this.#tableName,
        Limit: Number.isFinite(limit) ? limit - items.length : undefined,
        ExclusiveStartKey: start,
      });
      const page = await this.#try('list items', () => this.#client.send(command));
      items.push(...(page.Items ?? []));
      start = page.LastEvaluatedKey;
    } while (start && items.length < limit);
    return items;
  }

  async #try<T>(doing: string, call: () => Promise<T>): Promise<T> {
    try {
      return await call();
    } catch (error) {
      throw translateDynamoDbError(error, doing, this.#tableName);
    }
  }

  async #tryIf<T>(doing: string, call: () => Promise<T>): Promise<T | undefined> {
    try {
      return await call();
    } catch (error) {
      if (isConditionFailure(error)) return undefined;
      throw translateDynamoDbError(error, doing, this.#tableName);
    }
  }
}

/** Names and values for exactly the placeholders in use: DynamoDB refuses a request with one too many. */
function placeholders(expressions: readonly string[], from: Pick<Update, 'names' | 'values'>) {
  const text = expressions.join(' ');
  const names = new Set(text.match(/#\w+/g));
  const values = new Set(text.match(/:\w+/g));
  return {
    ...(names.size > 0 && {
      ExpressionAttributeNames: Object.fromEntries(
        [...names].map((name) => [name, from.names?.[name.slice(1)] ?? name.slice(1)]),
      ),
    }),
    ...(values.size > 0 && {
      ExpressionAttributeValues: Object.fromEntries(
        [...values].map((name) => [name, from.values?.[name.slice(1)]]),
      ),
    }),
  };
}
