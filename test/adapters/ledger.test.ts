import { DynamoDbLedger } from '../../adapters/dynamodb-ledger.ts';
import { openTestTable } from './dynamodb-under-test.ts';
import { ledgerContract } from './ledger.contract.ts';

ledgerContract(async () => {
  const { client, tableName, close } = await openTestTable();
  return {
    ledger: new DynamoDbLedger(client, tableName),
    other: new DynamoDbLedger(client, tableName),
    close,
  };
});
