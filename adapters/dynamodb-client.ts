import { DynamoDBClient, type DynamoDBClientConfig } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';

/**
 * The SDK's standard mode waits at random up to 50, 100 and 200 ms between four attempts, or up to 1, 2 and 4 s
 * when it was throttled: enough for a lost connection or a partition that splits. Longer trouble is for the state
 * machines' own `Retry`, which waits without holding a Lambda.
 */
const attempts = 4;

/** Without limits a lost packet would hang a call until its Lambda dies. An answer usually takes under 10 ms. */
const connectLimitMilliseconds = 1_000;
const answerLimitMilliseconds = 3_000;

/** A document client as the stores in this folder need it; `config` may name a region, an endpoint or a transport. */
export function connectDynamoDb(config: DynamoDBClientConfig = {}): DynamoDBDocumentClient {
  const client = new DynamoDBClient({
    retryMode: 'standard',
    maxAttempts: attempts,
    // By the one name of the region, which functions without a way out surely reach through their gateway endpoint.
    accountIdEndpointMode: 'disabled',
    requestHandler: {
      connectionTimeout: connectLimitMilliseconds,
      requestTimeout: answerLimitMilliseconds,
      throwOnRequestTimeout: true,
    },
    ...config,
  });
  return DynamoDBDocumentClient.from(client, {
    // Optional fields of Petra's records are absent, not null; an empty string stays an empty string.
    marshallOptions: { removeUndefinedValues: true, convertEmptyValues: false },
  });
}
