import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectDynamoDb } from '../../adapters/dynamodb-client.ts';
import { createTable } from '../../adapters/dynamodb-table.ts';
import { type LocalDatabase, openDatabase } from '../../local/database.ts';

/**
 * A fresh table for one test file: the embedded engine on disk, or the engine behind `PETRA_TEST_DYNAMODB`, an
 * endpoint such as http://localhost:8000, to hold the stores against another implementation.
 */
export async function openTestTable(): Promise<LocalDatabase> {
  const endpoint = process.env.PETRA_TEST_DYNAMODB;
  return endpoint === undefined ? openEmbedded() : openRemote(endpoint);
}

async function openEmbedded(): Promise<LocalDatabase> {
  const folder = await mkdtemp(join(tmpdir(), 'petra-table-'));
  const database = await openDatabase(folder);
  return {
    ...database,
    close: async () => {
      await database.close();
      await rm(folder, { recursive: true });
    },
  };
}

async function openRemote(endpoint: string): Promise<LocalDatabase> {
  const client = connectDynamoDb({
    endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  });
  const tableName = `petra-${randomUUID()}`;
  await createTable(client, tableName);
  return { client, tableName, close: async () => client.destroy() };
}
