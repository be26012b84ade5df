import { DynamoDbOperations } from '../../adapters/dynamodb-operations.ts';
import { openTestTable } from './dynamodb-under-test.ts';
import { operationsContract } from './operations.contract.ts';

operationsContract(async () => {
  const { client, tableName, close } = await openTestTable();
  return { operations: new DynamoDbOperations(client, tableName), close };
});
