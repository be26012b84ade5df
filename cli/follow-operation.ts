// Watches an operation until it ends. The operation does not need the watcher: a closed laptop, Ctrl-C and a
// restarted server change nothing, and the same command comes back to it.

import { setTimeout as sleep } from 'node:timers/promises';
import type { OperationView } from '../core/api/contract.ts';
import { hasCode, PetraError } from '../core/errors.ts';
import type { ApiClient } from './api-client.ts';
import { formatDuration } from './durations.ts';
import type { Progress } from './progress.ts';

export interface FollowOptions {
  /** Give up waiting after this; undefined waits for the end. */
  readonly timeoutSeconds?: number;
  /** Fires when the person wants the terminal back. */
  readonly signal?: AbortSignal;
}

/** A network that changes under a laptop needs a minute or two. */
const remotePatienceSeconds = 120;

/** A server that restarts on one machine needs seconds; one that was killed stays away, until a command starts it. */
const localPatienceSeconds = 20;

const shortestPollMilliseconds = 200;
const longestPollMilliseconds = 1000;

/** The command stopped watching because it was asked to; the operation goes on. */
export class Detached extends Error {
  readonly operation: OperationView;

  constructor(operation: OperationView) {
    super(`detached from ${operation.id}`);
    this.name = 'Detached';
    this.operation = operation;
  }
}

/**
 * The operation when it has ended, well or not.
 * @throws Detached, WaitTimedOut, and PetraUnreachable when the API stays away for longer than its restart takes
 */
export async function followOperation(
  api: ApiClient,
  started: OperationView,
  progress: Progress,
  options: FollowOptions = {},
): Promise<OperationView> {
  const { timeoutSeconds, signal } = options;
  const patienceSeconds = api.isStartedByCommands ? localPatienceSeconds : remotePatienceSeconds;
  const deadline = performance.now() + (timeoutSeconds ?? Number.POSITIVE_INFINITY) * 1000;
  let operation = started;
  let interval = shortestPollMilliseconds;
  let awaySince: number | undefined;
  try {
    progress.update(operation);
    while (operation.status === 'Running') {
      if (performance.now() >= deadline) throw waitTimedOut(operation, timeoutSeconds ?? 0);
      await pause(Math.min(interval, deadline - performance.now()), operation, signal);
      try {
        const seen = await api.operation(operation.id);
        if (awaySince !== undefined) progress.notice('');
        awaySince = undefined;
        // Look often while things happen, seldom while a machine boots.
        interval = isNews(operation, seen)
          ? shortestPollMilliseconds
          : Math.min(interval * 1.3, longestPollMilliseconds);
        operation = seen;
        progress.update(operation);
      } catch (error) {
        if (isOfCaller(error)) throw goesOn(error, operation);
        if (!isPassing(error)) throw error;
        if (awaySince === undefined) {
          awaySince = performance.now();
          progress.notice(
            `the Petra API does not answer; waiting for it to come back (${formatDuration(patienceSeconds)} at most) …`,
          );
        }
        if (performance.now() - awaySince > patienceSeconds * 1000)
          throw stayedAway(api, error, operation, patienceSeconds);
        interval = Math.min(interval * 1.3, longestPollMilliseconds);
      }
    }
    return operation;
  } finally {
    progress.stop();
  }
}

/** A Petra that restarts, or whose storage is away for a moment, is as good as one that does not answer. */
export function isPassing(error: unknown): error is PetraError {
  return hasCode(error, 'PetraUnreachable', 'StorageUnavailable', 'AwsUnavailable', 'Throttled');
}

/** What only the caller can mend, and the operation does not need. */
function isOfCaller(error: unknown): error is PetraError {
  return hasCode(error, 'CredentialsExpired', 'CredentialsMissing', 'CredentialsRefused', 'ClockSkewed');
}

/** The same error, with what it means for the operation. */
function goesOn(error: PetraError, operation: OperationView): PetraError {
  return new PetraError(error.code, `${error.message}; ${operation.id} goes on without this command`, {
    cause: error.cause,
    evidence: error.evidence,
    fix: `${error.fix} It attaches to the operation.`,
    details: { operation: operation.id },
  });
}

async function pause(milliseconds: number, operation: OperationView, signal?: AbortSignal): Promise<void> {
  try {
    await sleep(Math.max(0, milliseconds), undefined, signal ? { signal } : {});
  } catch {
    throw new Detached(operation);
  }
}

function isNews(before: OperationView, after: OperationView): boolean {
  const last = (operation: OperationView) => {
    const step = operation.steps.at(-1);
    return `${operation.steps.length} ${step?.status} ${step?.message}`;
  };
  return last(before) !== last(after);
}

function waitTimedOut(operation: OperationView, seconds: number): PetraError {
  return new PetraError(
    'WaitTimedOut',
    `${operation.id} has not ended within ${formatDuration(seconds)}; it goes on`,
    {
      fix: `Run the same command again, or \`petra capi operations ${operation.id} --follow\`.`,
      details: { operation: operation.id },
    },
  );
}

function stayedAway(
  api: ApiClient,
  error: PetraError,
  operation: OperationView,
  seconds: number,
): PetraError {
  return new PetraError(error.code, `${error.message}, for ${formatDuration(seconds)} now`, {
    cause: error.cause,
    fix: api.isStartedByCommands
      ? 'Run the same command again: it starts Petra, and the operation goes on.'
      : 'Run the same command again when it is back: the operation is kept and goes on.',
    details: { operation: operation.id },
  });
}
