import { hasCode, PetraError } from '../core/errors.ts';
import { translateAwsError } from './aws-errors.ts';

/** Whether a conditional write was refused because its condition did not hold. */
export function isConditionFailure(error: unknown): boolean {
  return error instanceof Error && error.name === 'ConditionalCheckFailedException';
}

/**
 * The PetraError for something thrown by the DynamoDB client: `Throttled`, `AwsAccessDenied`, or
 * `StorageUnavailable` when the table cannot be used now. `InternalError` when the request itself was wrong, for
 * example an item over 400 KB: repeating would not help. Anything that is not from AWS is returned as it is.
 */
export function translateDynamoDbError(error: unknown, doing: string, tableName: string): unknown {
  if (!(error instanceof Error) || error instanceof PetraError) return error;
  const message = `cannot ${doing}: ${error.name}: ${error.message}`;
  switch (error.name) {
    case 'ResourceNotFoundException':
    case 'TableNotFoundException':
      return new PetraError('StorageUnavailable', `${message} (table ${tableName})`, {
        cause: error,
        fix: `Table ${tableName} does not exist in this account and region: deploy the Petra stack, or check the table's name. Local: \`petra local reset\` makes it anew.`,
      });
    case 'ValidationException':
    case 'SerializationException':
    case 'ItemCollectionSizeLimitExceededException':
      return new PetraError('InternalError', message, { cause: error });
  }
  const translated = translateAwsError(error, doing);
  if (hasCode(translated, 'Throttled', 'AwsAccessDenied')) return translated;
  return translated instanceof PetraError || '$metadata' in error
    ? new PetraError('StorageUnavailable', message, { cause: error })
    : error;
}
