import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { connectDynamoDb } from '../../adapters/dynamodb-client.ts';
import { translateDynamoDbError } from '../../adapters/dynamodb-errors.ts';
import { DynamoDbFleetStore } from '../../adapters/dynamodb-fleet-store.ts';
import { DynamoDbLedger } from '../../adapters/dynamodb-ledger.ts';
import { PetraError } from '../../core/errors.ts';
import { type LocalDatabase, openDatabase } from '../../local/database.ts';
import { at, clusterRecord, lockOf, outcome } from './fleet-records.ts';
import { leaseOf } from './fleet-store.contract.ts';

function thrown(name: string, more: object = {}): Error {
  return Object.assign(new Error('told by DynamoDB'), { name }, more);
}

const service = { $metadata: { httpStatusCode: 400 } };
const cases: [string, Error, string][] = [
  ['a partition over its capacity', thrown('ProvisionedThroughputExceededException', service), 'Throttled'],
  ['too many calls', thrown('ThrottlingException', service), 'Throttled'],
  ['an account over its limit', thrown('RequestLimitExceeded', service), 'Throttled'],
  [
    'a fault of the service',
    thrown('InternalServerError', { $metadata: { httpStatusCode: 500 } }),
    'StorageUnavailable',
  ],
  ['any answer of 503', thrown('Strange', { $metadata: { httpStatusCode: 503 } }), 'StorageUnavailable'],
  ['no answer', thrown('TimeoutError'), 'StorageUnavailable'],
  ['a refused connection', thrown('Error', { code: 'ECONNREFUSED' }), 'StorageUnavailable'],
  ['a broken connection', thrown('Error', { code: 'EPIPE' }), 'StorageUnavailable'],
  ['a table that does not exist', thrown('ResourceNotFoundException', service), 'StorageUnavailable'],
  ['a refusal without a name Petra knows', thrown('KeyDisabled', service), 'StorageUnavailable'],
  ['a missing permission', thrown('AccessDeniedException', service), 'AwsAccessDenied'],
  ['no credentials', thrown('CredentialsProviderError'), 'AwsAccessDenied'],
  ['an item that is too large', thrown('ValidationException', service), 'InternalError'],
];

describe('errors of DynamoDB', () => {
  it.each(cases)('%s has a name of Petra', (_, error, code) => {
    const translated = translateDynamoDbError(error, 'read CLUSTER#dev', 'fleet');
    expect(translated).toMatchObject({ code, cause: error });
    expect(translated).toHaveProperty(
      'message',
      expect.stringMatching(/^cannot read CLUSTER#dev: .*told by DynamoDB/),
    );
  });

  it('a missing table is named, with what to do', () => {
    const translated = translateDynamoDbError(
      thrown('ResourceNotFoundException', service),
      'read',
      'fleet-7',
    );
    expect(translated).toMatchObject({
      message: expect.stringContaining('fleet-7'),
      fix: expect.stringContaining('Table fleet-7 does not exist'),
    });
  });

  it.each([
    ['a mistake in the code', new TypeError('x is undefined')],
    ['an error of Petra', new PetraError('NotLocked', 'dev is not locked')],
    ['something that is no error', 'text'],
  ])('%s stays what it is', (_, error) => {
    expect(translateDynamoDbError(error, 'read', 'fleet')).toBe(error);
  });
});

describe('a table that cannot be reached', () => {
  it('is said to be unavailable when nobody listens there', async () => {
    const client = connectDynamoDb({
      endpoint: 'http://127.0.0.1:1',
      region: 'us-east-1',
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    });
    const failure = new DynamoDbFleetStore(client, 'fleet').find('dev');
    await expect(failure).rejects.toMatchObject({
      code: 'StorageUnavailable',
      message: expect.stringContaining('ECONNREFUSED'),
    });
    client.destroy();
  });
});

describe('an answer that is lost on its way', () => {
  let database: LocalDatabase;
  let store: DynamoDbFleetStore;
  let calls: number;
  beforeEach(async () => {
    database = await openDatabase();
    store = new DynamoDbFleetStore(database.client, database.tableName);
    calls = 0;
  });
  afterEach(() => database.close());

  /** From now on every second answer is lost after the request was carried out, so that the SDK sends it again. */
  const loseAnswers = () =>
    database.client.middlewareStack.add(
      (next) => async (args) => {
        const result = await next(args);
        if (calls++ % 2 === 0) throw thrown('TimeoutError');
        return result;
      },
      { step: 'deserialize', priority: 'high', name: 'loseAnswers' },
    );

  it('does not make a cluster seem taken by someone else', async () => {
    loseAnswers();
    const record = clusterRecord();
    await store.add(record);
    expect(calls).toBeGreaterThan(1);
    expect(await store.find(record.name)).toEqual(record);
  });

  it('does not make a lock seem taken or lost', async () => {
    const record = clusterRecord();
    await store.add(record);
    loseAnswers();
    const released = await store.release(leaseOf(record), { phase: 'Failed' });
    const taken = await store.acquire(
      record.name,
      { uid: record.uid, fence: released.fence, now: at(1) },
      { ...released, lock: lockOf(2, 'delete-dev-2') },
    );
    expect(taken.lock).toEqual(lockOf(2, 'delete-dev-2'));
    expect((await store.renew(leaseOf(taken), at(200))).fence).toBe(2);
    expect((await store.forceUnlock(record.name, record.uid, at(3))).fence).toBe(3);
    expect(await outcome(store.forceUnlock(record.name, record.uid, at(3)))).toBe('NotLocked');
  });

  it('does not write an event twice', async () => {
    loseAnswers();
    const ledger = new DynamoDbLedger(database.client, database.tableName);
    await ledger.append({
      cluster: 'dev',
      uid: 'u',
      at: at(1),
      verb: 'create',
      outcome: 'started',
      caller: 'me',
    });
    expect((await ledger.list('dev', {})).items).toHaveLength(1);
  });
});
