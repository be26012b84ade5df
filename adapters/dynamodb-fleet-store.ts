import { randomUUID } from 'node:crypto';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { PetraError } from '../core/errors.ts';
import type { ClusterKind, ClusterRecord } from '../core/fleet.ts';
import type { ClusterChange, FleetStore, Lease, Page } from '../core/ports.ts';
import { decodeCursor, encodeCursor } from './dynamodb-cursor.ts';
import { DynamoDbItems, type Item, type Listing, type Update } from './dynamodb-items.ts';
import { cutLines, pageSize } from './dynamodb-limits.ts';
import { clusterCollection, clusterKey, type IndexAttributes, managementOwner } from './dynamodb-table.ts';

const heldByLease = '#uid = :uid AND #fence = :fence AND #lock.#fence = :fence';
const notDeleted = '#phase <> :deleted';
const deleted = { deleted: 'Deleted' } satisfies Record<string, ClusterRecord['phase']>;

/** A tombstone leaves the listings. */
const unlisted = { collection: null, owner: null, position: null } satisfies Record<
  keyof IndexAttributes,
  null
>;

const keptMessages = 20;
const keptFindings = 20;

/** The fleet in DynamoDB: one item per cluster, every change one conditional write. */
export class DynamoDbFleetStore implements FleetStore {
  readonly #items: DynamoDbItems;

  constructor(client: DynamoDBDocumentClient, tableName: string) {
    this.#items = new DynamoDbItems(client, tableName);
  }

  async add(record: ClusterRecord): Promise<void> {
    const key = clusterKey(record.name);
    const write = randomUUID();
    const added = await this.#items.put(
      key,
      { ...record, ...indexAttributes(record), write },
      { when: 'attribute_not_exists(#pk) OR #phase = :deleted', values: deleted },
    );
    if (added) return;
    const item = await this.#items.read(key);
    if (item?.write === write) return;
    const present = item && recordOf(item);
    throw new PetraError(
      'NameTaken',
      `the name ${record.name} belongs to a ${present?.kind} cluster since ${present?.createdAt} (now ${present?.phase})`,
      { details: present },
    );
  }

  async find(name: string): Promise<ClusterRecord | undefined> {
    const item = await this.#items.read(clusterKey(name));
    return item && recordOf(item);
  }

  async list(query: Parameters<FleetStore['list']>[0]): Promise<Page<ClusterRecord>> {
    const size = pageSize(query.limit);
    const after = query.cursor === undefined ? undefined : decodeCursor('clusters', query.cursor);
    const listings = listingsOf(query).map((part) => ({ ...part, after, order: 'ascending' as const }));
    const parts = await Promise.all(listings.map((listing) => this.#items.entries(listing, size + 1)));
    const entries = parts.flat().sort((a, b) => (a.position < b.position ? -1 : 1));
    const page = entries.slice(0, size);
    const records = (await this.#items.readMany(page)).map(recordOf);
    const last = page.at(-1);
    return {
      items: query.kind ? records.filter(({ kind }) => kind === query.kind) : records,
      ...(last && entries.length > size && { cursor: encodeCursor('clusters', last.position) }),
    };
  }

  async acquire(
    name: string,
    expected: Parameters<FleetStore['acquire']>[1],
    next: Parameters<FleetStore['acquire']>[2],
  ): Promise<ClusterRecord> {
    if (next.lock.fence !== expected.fence + 1) {
      throw new PetraError('InternalError', `fence ${next.lock.fence} cannot follow fence ${expected.fence}`);
    }
    const { phase, operation, region, spec, specHash, updatedAt, lock } = next;
    return this.#change(
      name,
      {
        change: { phase, operation, region, spec, specHash, updatedAt, lock, fence: lock.fence },
        when: `#uid = :uid AND #fence = :fence AND ${notDeleted} AND (attribute_not_exists(#lock) OR #lock.#expiresAt <= :now)`,
        values: { ...expected, ...deleted },
      },
      (present) => (exists(present) ? inProgress(present) : notFound(name)),
    );
  }

  async renew(lease: Lease, expiresAt: string): Promise<ClusterRecord> {
    return this.#underLease(lease, {
      set: ['#lock.#expiresAt = :expiresAt'],
      values: { expiresAt },
    });
  }

  async update(lease: Lease, change: ClusterChange): Promise<ClusterRecord> {
    return this.#underLease(lease, { change: fieldsOf(change) });
  }

  async release(lease: Lease, change: ClusterChange): Promise<ClusterRecord> {
    return this.#underLease(lease, { change: { ...fieldsOf(change), lock: null } });
  }

  async updateUnlocked(name: string, uid: string, change: ClusterChange): Promise<ClusterRecord> {
    return this.#change(
      name,
      {
        change: fieldsOf(change),
        when: `#uid = :uid AND ${notDeleted} AND attribute_not_exists(#lock)`,
        values: { uid, ...deleted },
      },
      (present) => (exists(present) && present.uid === uid ? inProgress(present) : notFound(name)),
    );
  }

  async forceUnlock(name: string, uid: string, updatedAt: string): Promise<ClusterRecord> {
    return this.#change(
      name,
      {
        change: { updatedAt, lock: null },
        set: ['#fence = #fence + :one'],
        when: '#uid = :uid AND attribute_exists(#lock)',
        values: { uid, one: 1 },
      },
      (present) =>
        present?.uid === uid
          ? new PetraError('NotLocked', `${name} is not locked`, { details: present })
          : notFound(name),
    );
  }

  #underLease(lease: Lease, update: Omit<Update, 'when'>): Promise<ClusterRecord> {
    return this.#change(
      lease.cluster,
      {
        ...update,
        when: heldByLease,
        values: { ...update.values, uid: lease.uid, fence: lease.fence },
      },
      (present) => leaseLost(lease, present),
    );
  }

  /**
   * One conditional write. When it is refused, the record is read again to say why: not every engine returns it
   * with the refusal. That read may also show that this very write was done: the SDK repeats a request whose
   * answer was lost, and the repetition meets the first one's result.
   */
  async #change(
    name: string,
    update: Update,
    explain: (present: ClusterRecord | undefined) => PetraError,
  ): Promise<ClusterRecord> {
    const write = randomUUID();
    const key = clusterKey(name);
    const written = await this.#items.update(key, { ...update, change: { ...update.change, write } });
    if (written) return recordOf(written);
    const item = await this.#items.read(key);
    const present = item && recordOf(item);
    if (present && item?.write === write) return present;
    throw explain(present);
  }
}

function indexAttributes(record: ClusterRecord): IndexAttributes {
  return {
    collection: clusterCollection(record.kind),
    ...(record.management !== undefined && { owner: managementOwner(record.management) }),
    position: record.name,
  };
}

/** The record in an item. Only this store writes these items, so their shape is known: hence the cast. */
function recordOf(item: Item): ClusterRecord {
  const { pk, sk, collection, owner, position, write, ...record } = item;
  return record as unknown as ClusterRecord;
}

function fieldsOf(change: ClusterChange): Readonly<Record<string, unknown>> {
  return {
    ...change,
    ...(change.observed?.messages && {
      observed: { ...change.observed, messages: cutLines(change.observed.messages, keptMessages) },
    }),
    ...(change.findings && { findings: change.findings.slice(0, keptFindings) }),
    ...(change.phase === 'Deleted' && unlisted),
  };
}

function listingsOf(query: {
  readonly kind?: ClusterKind;
  readonly management?: string;
}): Pick<Listing, 'index' | 'value'>[] {
  if (query.management !== undefined) return [{ index: 'owner', value: managementOwner(query.management) }];
  const kinds: readonly ClusterKind[] = query.kind ? [query.kind] : ['management', 'workload'];
  return kinds.map((kind) => ({ index: 'collection', value: clusterCollection(kind) }));
}

function exists(present: ClusterRecord | undefined): present is ClusterRecord {
  return present !== undefined && present.phase !== 'Deleted';
}

function inProgress(present: ClusterRecord): PetraError {
  const { lock, name } = present;
  return new PetraError(
    'OperationInProgress',
    lock
      ? `${lock.operationId} holds the lock of ${name} for ${lock.holder} since ${lock.acquiredAt}`
      : `${name} was changed by another operation (${present.operation.id}) at the same time`,
    { details: present },
  );
}

function leaseLost(lease: Lease, present: ClusterRecord | undefined): PetraError {
  const now =
    present?.uid !== lease.uid
      ? 'that cluster is gone'
      : present.lock
        ? `${present.lock.operationId} holds it with fence ${present.lock.fence}`
        : `nobody holds it, the last fence is ${present.fence}`;
  return new PetraError(
    'LeaseLost',
    `the lock of ${lease.cluster} with fence ${lease.fence} is lost: ${now}`,
    {
      details: present,
    },
  );
}

function notFound(name: string): PetraError {
  return new PetraError(
    'ClusterNotFound',
    `there is no cluster ${name}, or it is not the one that was meant`,
  );
}
