// The embedded DynamoDB behind a loopback address, for handlers that make their own clients: they find it through
// AWS_ENDPOINT_URL, as they would find any other stand-in for AWS.

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { connectDynamoDb } from '../../adapters/dynamodb-client.ts';
import { createTable } from '../../adapters/dynamodb-table.ts';
import { DynaliteHandler } from '../../local/dynalite-handler.ts';

export const tableName = 'petra-fleet';

export interface TableEndpoint {
  readonly url: string;
  /** Names of the operations of other services that were asked for, which it refuses. */
  readonly refused: string[];
  close(): Promise<void>;
}

export async function openTableEndpoint(): Promise<TableEndpoint> {
  const database = new DynaliteHandler();
  const refused: string[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const target = String(request.headers['x-amz-target']);
    if (!target.startsWith('DynamoDB_')) refused.push(target);
    const answer = await database.handle({
      headers: { 'x-amz-target': target },
      body: Buffer.concat(chunks),
    });
    response.writeHead(answer.response.statusCode, answer.response.headers).end(answer.response.body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const client = connectDynamoDb({
    endpoint: url,
    region: 'us-east-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  });
  await createTable(client, tableName);
  client.destroy();
  return {
    url,
    refused,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await database.close();
    },
  };
}
