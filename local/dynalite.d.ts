// The parts of dynalite that Petra uses without its HTTP server. dynalite has no types of its own.

declare module 'dynalite/db/index.js' {
  interface LevelDatabase {
    open(): Promise<void>;
    close(): Promise<void>;
  }

  export interface Store {
    readonly db: LevelDatabase;
    getTable(
      name: string,
      onlyActive: boolean,
      callback: (error: Error | null, table?: Record<string, unknown>) => void,
    ): void;
    readonly tableDb: {
      put(key: string, table: unknown, callback: (error: Error | null) => void): void;
      del(key: string, callback: (error: Error | null) => void): void;
    };
  }

  /** Without a path the store is in memory. Opens in the background. */
  export function create(options: { path?: string; createTableMs?: number }): Store;
}

declare module 'dynalite/validations/index.js' {
  /** Throws an error with `statusCode` and `body` when the request is malformed. */
  export function checkTypes(request: unknown, types: unknown): Record<string, unknown>;
  export function checkValidations(
    request: Record<string, unknown>,
    types: unknown,
    custom: unknown,
    store: unknown,
  ): void;
}

declare module 'dynalite/validations/*' {
  const validation: { readonly types: unknown; readonly custom?: unknown };
  export = validation;
}

declare module 'dynalite/actions/*' {
  function action(
    store: unknown,
    request: Record<string, unknown>,
    callback: (error: unknown, response?: unknown) => void,
  ): void;
  export = action;
}
