import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { PetraError } from '../core/errors.ts';
import type { OperationRecord, ResidueLine, StepRecord } from '../core/fleet.ts';
import type { Operations, Page } from '../core/ports.ts';
import { decodeCursor, encodeCursor } from './dynamodb-cursor.ts';
import { DynamoDbItems, type Item, type Listing, type Update } from './dynamodb-items.ts';
import { cutFailure, cutResidue, cutText, pageSize } from './dynamodb-limits.ts';
import { type IndexAttributes, operationCollection, operationKey, operationOwner } from './dynamodb-table.ts';

type StoredSteps = Readonly<Record<string, StepRecord>>;

/** What an item has in place of the record's two lists, so that two writers never lose each other's entries. */
interface StoredOperation extends Omit<OperationRecord, 'steps' | 'warnings'> {
  readonly steps: StoredSteps;
  /** Step by step, how many step writes there had been when it was first recorded. */
  readonly stepOrder: Readonly<Record<string, number>>;
  readonly stepWrites: number;
  /** Absent while empty: DynamoDB has no empty sets. */
  readonly warnings?: ReadonlySet<string>;
}

const known: Pick<Update, 'when'> = { when: 'attribute_exists(#pk)' };

/** Operations in DynamoDB, one item each. Long texts are cut to the limits in dynamodb-limits.ts. */
export class DynamoDbOperations implements Operations {
  readonly #items: DynamoDbItems;

  constructor(client: DynamoDBDocumentClient, tableName: string) {
    this.#items = new DynamoDbItems(client, tableName);
  }

  async add(record: OperationRecord): Promise<void> {
    const item = { ...storedOf(record), ...indexAttributes(record) };
    await this.#items.put(operationKey(record.id), item, { when: 'attribute_not_exists(#pk)' });
  }

  async find(id: string): Promise<OperationRecord | undefined> {
    const item = await this.#items.read(operationKey(id));
    return item && recordOf(item);
  }

  async list(query: Parameters<Operations['list']>[0]): Promise<Page<OperationRecord>> {
    const size = pageSize(query.limit);
    const listing: Listing = {
      ...(query.cluster === undefined
        ? { index: 'collection', value: operationCollection }
        : { index: 'owner', value: operationOwner(query.cluster) }),
      after: query.cursor === undefined ? undefined : decodeCursor('operations', query.cursor),
      order: 'descending',
    };
    const entries = await this.#items.entries(listing, size + 1);
    const page = entries.slice(0, size);
    const last = page.at(-1);
    return {
      items: (await this.#items.readMany(page)).map(recordOf),
      ...(last && entries.length > size && { cursor: encodeCursor('operations', last.position) }),
    };
  }

  async recordStep(id: string, step: StepRecord): Promise<void> {
    await this.#change(id, {
      ...known,
      set: [
        '#steps.#step = :step',
        // The right-hand sides see the item as it was, so a step keeps the count of its first writing.
        '#stepOrder.#step = if_not_exists(#stepOrder.#step, #stepWrites)',
        '#stepWrites = #stepWrites + :one',
      ],
      names: { step: step.name },
      values: { step: cutStep(step), one: 1 },
    });
  }

  async warn(id: string, warnings: readonly string[]): Promise<void> {
    const set = warningSet(warnings);
    if (set) await this.#change(id, { ...known, add: '#warnings :warnings', values: { warnings: set } });
  }

  async finish(id: string, end: Parameters<Operations['finish']>[1]): Promise<void> {
    const finished = await this.#items.update(operationKey(id), {
      change: {
        status: end.status,
        endedAt: end.endedAt,
        failure: end.failure && cutFailure(end.failure, 'operation'),
      },
      when: '#status = :running',
      values: { running: 'Running' satisfies OperationRecord['status'] },
    });
    if (!finished && !(await this.#items.read(operationKey(id)))) throw notFound(id);
  }

  async keepResidue(id: string, residue: readonly ResidueLine[]): Promise<void> {
    await this.#change(id, { ...known, change: { residue: cutResidue(residue) } });
  }

  async #change(id: string, update: Update): Promise<void> {
    if (!(await this.#items.update(operationKey(id), update))) throw notFound(id);
  }
}

/** Newest first: two operations of one instant are told apart by their ids. */
function indexAttributes(record: OperationRecord): IndexAttributes {
  return {
    collection: operationCollection,
    owner: operationOwner(record.cluster),
    position: `${record.startedAt}#${record.id}`,
  };
}

function storedOf(record: OperationRecord): StoredOperation {
  const { steps, warnings, ...rest } = record;
  const set = warningSet(warnings);
  return {
    ...rest,
    steps: Object.fromEntries(steps.map((step) => [step.name, cutStep(step)])),
    stepOrder: Object.fromEntries(steps.map((step, order) => [step.name, order])),
    stepWrites: steps.length,
    ...(rest.failure && { failure: cutFailure(rest.failure, 'operation') }),
    ...(rest.residue && { residue: cutResidue(rest.residue) }),
    ...(set && { warnings: set }),
  };
}

/** The record in an item. Only this store writes these items, so their shape is known: hence the cast. */
function recordOf(item: Item): OperationRecord {
  const { pk, sk, collection, owner, position, ...stored } = item;
  const { steps, stepOrder, stepWrites, warnings, ...rest } = stored as unknown as StoredOperation;
  return {
    ...rest,
    steps: Object.values(steps).sort(
      (a, b) => compare(a.startedAt, b.startedAt) || (stepOrder[a.name] ?? 0) - (stepOrder[b.name] ?? 0),
    ),
    // A set comes back in no order; sorted, it reads the same every time.
    warnings: [...(warnings ?? [])].sort(),
  };
}

function warningSet(warnings: readonly string[]): ReadonlySet<string> | undefined {
  const texts = warnings.filter((text) => text !== '').map((text) => cutText(text));
  return texts.length > 0 ? new Set(texts) : undefined;
}

function cutStep(step: StepRecord): StepRecord {
  return {
    ...step,
    ...(step.message !== undefined && { message: cutText(step.message, 500) }),
    ...(step.failure && { failure: cutFailure(step.failure, 'step') }),
  };
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function notFound(id: string): PetraError {
  return new PetraError('OperationNotFound', `there is no operation ${id}`);
}
