// The inside of one Lambda execution environment: imports a bundle once, then answers invocations, one at a time, that
// its parent sends. Run by lambda-host.ts; arguments: the bundle, the handler's name, a folder for compiled code, and
// the ports of the loopback interface that the function's network leads to.

import { enableCompileCache } from 'node:module';
import { Socket } from 'node:net';
import { pathToFileURL } from 'node:url';

export interface InvocationMessage {
  readonly event: unknown;
  readonly requestId: string;
  readonly functionArn: string;
  /** Milliseconds since 1970. */
  readonly deadline: number;
}

export type InvocationResult =
  | { readonly output: string }
  | { readonly error: { readonly errorType: string; readonly errorMessage: string } };

const [bundle = '', handlerName = '', cache = '', ...ports] = process.argv.slice(2);
enableCompileCache(cache);
closeNetwork(new Set(ports));

const send = (result: InvocationResult | 'ready') => process.send?.(result);

/** Everything that a function could reach is on the loopback interface here, so ports are what tells hosts apart. */
function closeNetwork(open: ReadonlySet<string>): void {
  const connect = Socket.prototype.connect;
  // Only the arguments' first one is looked at, whichever of the overloads it is.
  Socket.prototype.connect = function (this: Socket, ...all: unknown[]) {
    const port = portOf(all[0]);
    if (!open.has(port)) {
      process.stderr.write(`virtual account: the network of this function does not lead to port ${port}\n`);
      const refused = Object.assign(new Error(`connect ETIMEDOUT ${port}`), { code: 'ETIMEDOUT' });
      process.nextTick(() => this.destroy(refused));
      return this;
    }
    return Reflect.apply(connect, this, all);
  } as typeof connect;
}

function portOf(target: unknown): string {
  // Node's own callers hand over the arguments as one normalized array.
  const options: unknown = Array.isArray(target) ? target[0] : target;
  if (typeof options === 'object' && options !== null && 'port' in options) return String(options.port);
  return String(options);
}

interface LambdaContext {
  readonly functionName: string;
  readonly awsRequestId: string;
  readonly invokedFunctionArn: string;
  getRemainingTimeInMillis(): number;
}

type Handler = (event: unknown, context: LambdaContext) => Promise<unknown>;

async function load(): Promise<Handler> {
  const module: Record<string, unknown> = await import(pathToFileURL(bundle).href);
  const handler = module[handlerName];
  if (typeof handler !== 'function') throw new Error(`${bundle} exports no function ${handlerName}`);
  return handler as Handler;
}

const handler = await load();

process.on('message', (message: InvocationMessage) => {
  void answer(message).then(send);
});
send('ready');
// Its parent is gone.
process.on('disconnect', () => process.exit());

async function answer({
  event,
  requestId,
  functionArn,
  deadline,
}: InvocationMessage): Promise<InvocationResult> {
  try {
    const output = await handler(event, {
      functionName: process.env.AWS_LAMBDA_FUNCTION_NAME ?? '',
      awsRequestId: requestId,
      invokedFunctionArn: functionArn,
      getRemainingTimeInMillis: () => deadline - Date.now(),
    });
    return { output: JSON.stringify(output) ?? 'null' };
  } catch (error) {
    // As Lambda's own runtime for Node reports what a handler throws.
    return error instanceof Error
      ? { error: { errorType: error.name, errorMessage: error.message } }
      : { error: { errorType: 'Error', errorMessage: String(error) } };
  }
}
