// What Lambda gives a function, and what middy keeps of an invocation: as far as Petra looks at it.

export interface LambdaContext {
  readonly functionName: string;
  readonly awsRequestId: string;
}

export type LambdaHandler<E, R> = (event: E, context: LambdaContext) => Promise<R>;

/** An invocation between middlewares. */
export interface Invocation<E, R> {
  readonly event: E;
  readonly context: LambdaContext;
  response?: R | null | undefined;
  error?: Error | null | undefined;
}

/** A middleware as a plain object. None returns a value: for middy that would be an early answer. */
export interface Middleware<E, R> {
  readonly before?: (invocation: Invocation<E, R>) => void;
  readonly after?: (invocation: Invocation<E, R>) => void;
  readonly onError?: (invocation: Invocation<E, R>) => void;
}
