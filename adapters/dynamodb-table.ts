// The shape of Petra's one table: its keys, its indexes, and what goes where. Everything else about an item
// belongs to the store that owns it.

import {
  CreateTableCommand,
  type CreateTableCommandInput,
  type DynamoDBClient,
  waitUntilTableExists,
} from '@aws-sdk/client-dynamodb';
import type { ClusterKind } from '../core/fleet.ts';

/** The primary key of an item. */
export interface Key {
  readonly pk: string;
  readonly sk: string;
}

/**
 * Two sparse indexes, shared by clusters and operations: an item without these attributes is in neither.
 * Both hold keys only, so that renewing a lock or recording a step costs no index write; a listing reads the
 * items themselves afterwards.
 */
export const indexes = {
  collection: 'by-collection',
  owner: 'by-owner',
} as const;

/** What puts an item into the indexes: the same position serves both. */
export interface IndexAttributes {
  readonly collection: string;
  readonly owner?: string;
  readonly position: string;
}

/** The fleet's item for a cluster: its record, lock included. */
export function clusterKey(name: string): Key {
  return { pk: `CLUSTER#${name}`, sk: 'RECORD' };
}

export function clusterCollection(kind: ClusterKind): string {
  return `CLUSTERS#${kind}`;
}

export function managementOwner(management: string): string {
  return `MANAGEMENT#${management}`;
}

export function operationKey(id: string): Key {
  return { pk: `OPERATION#${id}`, sk: 'RECORD' };
}

export const operationCollection = 'OPERATIONS';

export function operationOwner(cluster: string): string {
  return `OPERATIONS#${cluster}`;
}

/** Sort keys of a cluster's ledger begin with this; what follows sorts by time. */
export const eventPrefix = 'EVENT#';

/** A ledger event; `position` is `<at>#<seq>`. */
export function eventKey(cluster: string, position: string): Key {
  return { pk: `CLUSTER#${cluster}`, sk: `${eventPrefix}${position}` };
}

/** Sort keys of what was made in one life of a cluster begin with this. */
export function resourcePrefix(uid: string): string {
  return `RESOURCE#${uid}#`;
}

export function resourceKey(cluster: string, uid: string, type: string, key: string): Key {
  return { pk: `CLUSTER#${cluster}`, sk: `${resourcePrefix(uid)}${type}#${key}` };
}

/** The table as CreateTable takes it: for the embedded engine, and what the stack's table must equal. */
export function tableDefinition(tableName: string) {
  return {
    TableName: tableName,
    BillingMode: 'PAY_PER_REQUEST',
    AttributeDefinitions: ['pk', 'sk', 'collection', 'owner', 'position'].map((AttributeName) => ({
      AttributeName,
      AttributeType: 'S' as const,
    })),
    KeySchema: [
      { AttributeName: 'pk', KeyType: 'HASH' },
      { AttributeName: 'sk', KeyType: 'RANGE' },
    ],
    GlobalSecondaryIndexes: (['collection', 'owner'] as const).map((attribute) => ({
      IndexName: indexes[attribute],
      KeySchema: [
        { AttributeName: attribute, KeyType: 'HASH' as const },
        { AttributeName: 'position', KeyType: 'RANGE' as const },
      ],
      Projection: { ProjectionType: 'KEYS_ONLY' as const },
    })),
  } satisfies CreateTableCommandInput;
}

/** Makes the table and waits until it can be used. Only for engines that start empty: on AWS the stack makes it. */
export async function createTable(client: DynamoDBClient, tableName: string): Promise<void> {
  await client.send(new CreateTableCommand(tableDefinition(tableName)));
  await waitUntilTableExists(
    { client, minDelay: 0.005, maxDelay: 0.1, maxWaitTime: 10 },
    { TableName: tableName },
  );
}
