import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { connectDynamoDb } from '../../adapters/dynamodb-client.ts';
import { DynamoDbFleetStore } from '../../adapters/dynamodb-fleet-store.ts';
import { DynamoDbLedger } from '../../adapters/dynamodb-ledger.ts';
import { DynamoDbOperations } from '../../adapters/dynamodb-operations.ts';
import { DynamoDbResourceLedger } from '../../adapters/dynamodb-resource-ledger.ts';
import type { FleetStore, Ledger, Operations, ResourceLedger } from '../../core/ports.ts';
import { requireEnv } from '../env.ts';

let shared: DynamoDBDocumentClient | undefined;

/** One client for all that is in the table, so that they share its connections. */
function client(): DynamoDBDocumentClient {
  shared ??= connectDynamoDb();
  return shared;
}

export function fleet(): FleetStore {
  return new DynamoDbFleetStore(client(), requireEnv('FLEET_TABLE'));
}

export function operations(): Operations {
  return new DynamoDbOperations(client(), requireEnv('FLEET_TABLE'));
}

export function ledger(): Ledger {
  return new DynamoDbLedger(client(), requireEnv('FLEET_TABLE'));
}

export function resources(): ResourceLedger {
  return new DynamoDbResourceLedger(client(), requireEnv('FLEET_TABLE'));
}
