// dynalite's engine in this process, as the transport of an SDK client. Its own HTTP server is not used:
// it would let every process and web page of the machine into the fleet's state (no authentication, any origin
// allowed), and an error of the disk is thrown in it where nobody can catch it, which ends the process.

import batchGetItem from 'dynalite/actions/batchGetItem.js';
import createTable from 'dynalite/actions/createTable.js';
import describeTable from 'dynalite/actions/describeTable.js';
import getItem from 'dynalite/actions/getItem.js';
import putItem from 'dynalite/actions/putItem.js';
import query from 'dynalite/actions/query.js';
import updateItem from 'dynalite/actions/updateItem.js';
import { create, type Store } from 'dynalite/db/index.js';
import batchGetItemRules from 'dynalite/validations/batchGetItem.js';
import createTableRules from 'dynalite/validations/createTable.js';
import describeTableRules from 'dynalite/validations/describeTable.js';
import getItemRules from 'dynalite/validations/getItem.js';
import { checkTypes, checkValidations } from 'dynalite/validations/index.js';
import putItemRules from 'dynalite/validations/putItem.js';
import queryRules from 'dynalite/validations/query.js';
import updateItemRules from 'dynalite/validations/updateItem.js';

/** The calls Petra makes; any other is refused as unknown. */
const operations = new Map([
  ['BatchGetItem', { act: batchGetItem, rules: batchGetItemRules }],
  ['CreateTable', { act: createTable, rules: createTableRules }],
  ['DescribeTable', { act: describeTable, rules: describeTableRules }],
  ['GetItem', { act: getItem, rules: getItemRules }],
  ['PutItem', { act: putItem, rules: putItemRules }],
  ['Query', { act: query, rules: queryRules }],
  ['UpdateItem', { act: updateItem, rules: updateItemRules }],
]);

/** The parts of the SDK's HttpRequest that matter here. */
export interface DynamoDbRequest {
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

interface Answer {
  readonly statusCode: number;
  readonly headers: Record<string, string>;
  readonly body: Uint8Array;
}

/** An answer which dynalite gives as an error. */
interface Refusal {
  readonly statusCode: number;
  readonly body: unknown;
}

/** Answers DynamoDB requests from a folder, or from memory. Opens the folder with `open`. */
export class DynaliteHandler {
  readonly #folder: string | undefined;
  #store: Promise<Store> | undefined;
  /** The store in use; undefined while the folder is opened. */
  #live: Store | undefined;
  #closed = false;
  /** What the engine is at. */
  readonly #acting = new Set<Promise<unknown>>();

  constructor(folder?: string) {
    this.#folder = folder;
  }

  /** Rejects with LevelDB's error when another process has the folder, or it cannot be used. Safe to repeat. */
  async open(): Promise<Store> {
    if (this.#closed) throw new Error('the database was closed');
    this.#store ??= this.#start();
    try {
      return await this.#store;
    } catch (error) {
      this.#store = undefined;
      throw error;
    }
  }

  /** The SDK's transport: one request, one answer, never a rejection for what the engine could not do. */
  async handle(request: DynamoDbRequest): Promise<{ response: Answer }> {
    try {
      return answer(200, await this.#perform(request));
    } catch (error) {
      if (isRefusal(error)) return answer(error.statusCode, error.body);
      const message = withCause(error);
      return answer(500, { __type: 'com.amazonaws.dynamodb.v20120810#InternalServerError', message });
    }
  }

  /** Resolves when everything is on disk and the folder is free for another process. */
  async close(): Promise<void> {
    this.#closed = true;
    const store = await this.#store?.catch(() => undefined);
    await Promise.allSettled(this.#acting);
    await store?.db.close();
  }

  /** The store, and not one that was given up while this waited for it. */
  async #inUse(): Promise<Store> {
    let store = await this.open();
    while (store !== this.#live) store = await this.open();
    return store;
  }

  async #perform({ headers, body }: DynamoDbRequest): Promise<unknown> {
    const name = headers['x-amz-target']?.split('.')[1] ?? '';
    const operation = operations.get(name);
    if (!operation) throw refusal('com.amazon.coral.service#UnknownOperationException', name);
    const { act, rules } = operation;
    const parsed: unknown = JSON.parse(textOf(body));
    const input = checkTypes(parsed, rules.types);
    const store = await this.#inUse();
    checkValidations(input, rules.types, rules.custom, store);
    const acting = new Promise((resolve, reject) => {
      act(store, input, (error, response) => (error ? reject(error) : resolve(response)));
    });
    this.#acting.add(acting);
    try {
      return await acting;
    } catch (error) {
      if (!isRefusal(error)) this.#reopenAfter(store);
      throw error;
    } finally {
      this.#acting.delete(acting);
    }
  }

  /**
   * After a failed write, LevelDB's log may end in half a record, and what is appended behind it would be lost
   * when the log is read again. So nothing more goes into it: the next request opens the folder anew.
   */
  #reopenAfter(failed: Store): void {
    if (this.#folder === undefined || this.#live !== failed) return;
    this.#live = undefined;
    // dynalite throws where nobody can catch it when the folder is closed under an action.
    const reopened = Promise.allSettled(this.#acting)
      .then(() => failed.db.close())
      .catch(() => undefined)
      .then(() => this.#start());
    // Whoever asks next is told if it fails; without this line the process would end of it.
    reopened.catch(() => undefined);
    this.#store = reopened;
  }

  async #start(): Promise<Store> {
    // dynalite plays AWS's half second until a table can be used; nobody waits for that here.
    const path = this.#folder === undefined ? {} : { path: this.#folder };
    const store = create({ createTableMs: 0, ...path });
    await store.db.open();
    this.#live = store;
    return store;
  }
}

/** The SDK's body is text, or its bytes in a class of the SDK that warns when it is used as text. */
function textOf(body: unknown): string {
  return body instanceof Uint8Array ? new TextDecoder().decode(body) : String(body);
}

function answer(statusCode: number, body: unknown): { response: Answer } {
  const headers = { 'content-type': 'application/x-amz-json-1.0' };
  return { response: { statusCode, headers, body: Buffer.from(JSON.stringify(body)) } };
}

function refusal(type: string, message: string): Error & Refusal {
  return Object.assign(new Error(message), { statusCode: 400, body: { __type: type, message } });
}

function isRefusal(error: unknown): error is Error & Refusal {
  return error instanceof Error && 'statusCode' in error;
}

/** LevelDB's own words are in the cause: the file and the system's error. */
function withCause(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message;
}
