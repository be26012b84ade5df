import { mkdir } from 'node:fs/promises';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { Store } from 'dynalite/db/index.js';
import { connectDynamoDb } from '../adapters/dynamodb-client.ts';
import { createTable, tableDefinition } from '../adapters/dynamodb-table.ts';
import { PetraError } from '../core/errors.ts';
import { DynaliteHandler, type DynamoDbRequest } from './dynalite-handler.ts';

/** The table of a local Petra, and a client that reaches nothing else. */
export interface LocalDatabase {
  readonly client: DynamoDBDocumentClient;
  readonly tableName: string;
  /** Resolves when the folder is free for another process. */
  close(): Promise<void>;
}

const tableName = 'petra';

/**
 * Opens the fleet's table in this folder, making both if they do not exist. What a call has acknowledged survives
 * the process being killed. Without a folder everything is forgotten at the end, for tests.
 * @throws LocalStartFailed when another process has it open, or when it cannot be read or written.
 */
export async function openDatabase(folder?: string): Promise<LocalDatabase> {
  const handler = new DynaliteHandler(folder);
  try {
    // Only for this user: the fleet's specs and callers are in it.
    if (folder !== undefined) await mkdir(folder, { recursive: true, mode: 0o700 });
    const store = await handler.open();
    const client = connect(handler);
    await ensureTable(client, store);
    return {
      client,
      tableName,
      close: async () => {
        client.destroy();
        await handler.close();
      },
    };
  } catch (error) {
    // The first failure is the one to tell.
    await handler.close().catch(() => undefined);
    throw startFailure(error, folder ?? 'memory');
  }
}

function connect(handler: DynaliteHandler): DynamoDBDocumentClient {
  return connectDynamoDb({
    requestHandler: {
      handle: (request: DynamoDbRequest) => handler.handle(request),
      updateHttpClientConfig: () => undefined,
      httpHandlerConfigs: () => ({}),
    },
    // Nothing of the user's AWS settings may matter here. With a FIPS setting, the SDK refuses an endpoint.
    endpoint: 'http://localhost',
    region: 'local',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    useFipsEndpoint: false,
    useDualstackEndpoint: false,
  });
}

async function ensureTable(client: DynamoDBDocumentClient, store: Store): Promise<void> {
  const table = await new Promise<Record<string, unknown> | undefined>((resolve, reject) => {
    store.getTable(tableName, false, (error, found) => {
      if (!error) resolve(found);
      else if (error.name === 'NotFoundError') resolve(undefined);
      else reject(error);
    });
  });
  if (table?.TableStatus === 'ACTIVE') {
    if (shapeOf(table) === shapeOf(tableDefinition(tableName))) return;
    throw new PetraError('LocalStartFailed', 'the table in it was made by another version of Petra', {
      fix: 'Use that version, or start from nothing with `petra local reset`.',
    });
  }
  // A process that was killed while it made the table: nothing can be in it yet, and nobody else finishes it.
  if (table) {
    await new Promise<void>((resolve, reject) => {
      store.tableDb.del(tableName, (error) => (error ? reject(error) : resolve()));
    });
  }
  await createTable(client, tableName);
}

/** What cannot change in a table's life, as text to compare. */
function shapeOf(table: Readonly<Record<string, unknown>>): string {
  const definition = table as Partial<ReturnType<typeof tableDefinition>>;
  const indexes = definition.GlobalSecondaryIndexes ?? [];
  return JSON.stringify([
    definition.KeySchema,
    indexes.map(({ IndexName, KeySchema, Projection }) => [IndexName, KeySchema, Projection]),
  ]);
}

const reasons: readonly { readonly sign: RegExp; readonly why: string; readonly fix: string }[] = [
  {
    sign: /LEVEL_LOCKED/,
    why: 'another process has it open',
    fix: 'Stop the other local Petra (`petra local down`), or give this one a state folder of its own.',
  },
  {
    sign: /No space left|ENOSPC|EDQUOT|File too large|EFBIG|quota/i,
    why: 'there is no space left for it',
    fix: 'Free some space on the disk of the state folder, then repeat the command.',
  },
  {
    // Node says ENOENT when it cannot make a folder on a read-only file system.
    sign: /EACCES|EPERM|EROFS|ENOENT|Permission denied|Read-only/i,
    why: 'it cannot be read or written by this user',
    fix: 'Give yourself read and write permission to the state folder, or use another one.',
  },
  {
    sign: /ENOTDIR|EEXIST|Not a directory/i,
    why: 'something that is not a folder is in its place',
    fix: 'Move that file away, or use another state folder.',
  },
  {
    sign: /LEVEL_CORRUPTION|Corruption/i,
    why: 'its files are damaged',
    fix: 'Keep a copy if the state matters, then start from nothing with `petra local reset`.',
  },
];

function startFailure(error: unknown, folder: string): PetraError {
  const causes = chainOf(error);
  const reason = reasons.find(({ sign }) => causes.some((cause) => sign.test(cause)));
  const why = reason?.why ?? causes[0];
  return new PetraError('LocalStartFailed', `cannot open the database in ${folder}: ${why}`, {
    cause: error,
    ...(causes.length > 1 || reason ? { evidence: causes } : {}),
    ...(reason ? { fix: reason.fix } : error instanceof PetraError ? { fix: error.fix } : {}),
  });
}

/** Messages of an error and its causes, outermost first, each with its code. */
function chainOf(error: unknown): string[] {
  if (!(error instanceof Error)) return error === undefined ? [] : [String(error)];
  const code = 'code' in error ? ` (${error.code})` : '';
  return [`${error.message}${code}`, ...chainOf(error.cause)];
}
