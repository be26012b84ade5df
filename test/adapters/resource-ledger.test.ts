import { DynamoDbResourceLedger } from '../../adapters/dynamodb-resource-ledger.ts';
import { openTestTable } from './dynamodb-under-test.ts';
import { resourceLedgerContract } from './resource-ledger.contract.ts';

resourceLedgerContract(async () => {
  const { client, tableName, close } = await openTestTable();
  return { resources: new DynamoDbResourceLedger(client, tableName), close };
});
