// Run as a process of its own by database.test.ts: writes clusters into the folder, one after the other, and prints
// each name once its write was acknowledged. Ends after the last one, or says with which error it stopped.

import { writeSync } from 'node:fs';
import { DynamoDbFleetStore } from '../../adapters/dynamodb-fleet-store.ts';
import { openDatabase } from '../../local/database.ts';
import { clusterRecord } from '../adapters/fleet-records.ts';

const [folder, limit] = process.argv.slice(2);
const { client, tableName, close } = await openDatabase(folder);
const store = new DynamoDbFleetStore(client, tableName);
writeSync(1, 'open\n');
try {
  for (let written = 0; written < Number(limit); written++) {
    const record = clusterRecord({ specHash: 'x'.repeat(4_000) });
    await store.add(record);
    writeSync(1, `${record.name}\n`);
  }
  writeSync(1, 'all written\n');
} catch (error) {
  writeSync(1, `${error}\n`);
}
await close();
