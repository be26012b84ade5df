// Reads the arguments of a local Petra, runs it, and ends it in order when it is told to.

import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { messageOf, PetraError } from '../core/errors.ts';
import { parseFault } from './faults.ts';
import { logToStderr } from './log.ts';
import { startLocalPetra } from './petra.ts';

// What LevelDB writes has no mode of its own.
process.umask(0o077);

/** In real seconds. */
const defaultShortestLimit = 20;

function numberOf(text: string | undefined, name: string, fallback: number, least = 0): number {
  if (text === undefined) return fallback;
  const number = Number(text);
  if (Number.isFinite(number) && number >= least) return number;
  throw new PetraError('InvalidUsage', `--${name}: expected a number from ${least} on, got "${text}"`);
}

// A fault of Petra's own. What it had begun goes on with the next start.
process.on('uncaughtException', (error: unknown) => {
  const stack = error instanceof Error ? error.stack : undefined;
  logToStderr('crashed', { error: String(error), ...(stack === undefined ? {} : { stack }) });
  process.exit(1);
});

try {
  const { values } = parseArgs({
    options: {
      state: { type: 'string' },
      port: { type: 'string' },
      speed: { type: 'string' },
      fault: { type: 'string', multiple: true },
      'shortest-limit': { type: 'string' },
    },
  });
  if (values.state === undefined) throw new PetraError('InvalidUsage', '--state FOLDER is needed');
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  const petra = await startLocalPetra({
    stateFolder: values.state,
    port: numberOf(values.port, 'port', 0),
    ...(values.speed === undefined ? {} : { speed: numberOf(values.speed, 'speed', 1, 1) }),
    faults: (values.fault ?? []).map(parseFault),
    shortestLimit: numberOf(values['shortest-limit'], 'shortest-limit', defaultShortestLimit),
    version: String(version),
    log: logToStderr,
  });
  const stop = () => {
    petra.close().then(
      () => process.exit(0),
      (error: unknown) => {
        logToStderr('stopping failed', { error: String(error) });
        process.exit(1);
      },
    );
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
} catch (error) {
  const known = error instanceof PetraError ? error : undefined;
  logToStderr('start failed', {
    code: known?.code ?? 'InternalError',
    error: messageOf(error),
    ...(known === undefined ? {} : { fix: known.fix }),
  });
  process.exit(1);
}
