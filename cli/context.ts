import { Output } from './output.ts';

/** What a command may use of the process it runs in. */
export interface Context {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly output: Output;
}

/** The context of the real process. */
export function processContext(): Context {
  return { env: process.env, output: new Output(process.env) };
}
