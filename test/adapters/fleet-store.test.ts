import { DynamoDbFleetStore } from '../../adapters/dynamodb-fleet-store.ts';
import { openTestTable } from './dynamodb-under-test.ts';
import { fleetLockContract } from './fleet-lock.contract.ts';
import { fleetModelContract } from './fleet-model.contract.ts';
import { type FleetStoreUnderTest, fleetStoreContract } from './fleet-store.contract.ts';

async function open(): Promise<FleetStoreUnderTest> {
  const { client, tableName, close } = await openTestTable();
  return { store: new DynamoDbFleetStore(client, tableName), close };
}

fleetStoreContract(open);
fleetLockContract(open);
fleetModelContract(open);
