import { Output } from './output.ts';

/** What a command may use of the process it runs in. */
export interface Context {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly output: Output;
}

/** The context of the real process. */
export function processContext(): Context {
  // A reader that went away (`petra capi list | head -1`) is no failure of Petra's: end as SIGPIPE would have.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(141);
    throw error;
  });
  process.stderr.on('error', () => undefined);
  return { env: process.env, output: new Output(process.env) };
}
