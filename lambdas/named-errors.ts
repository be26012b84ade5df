import { PetraError } from '../core/errors.ts';
import { unforeseen } from '../core/steps/failure.ts';
import type { Middleware } from './runtime.ts';

/**
 * What the state machine gets: an error with the name that its Retry and Catch know, and its message. Lambda would log
 * every other field once more, evidence among them.
 */
export function namedErrors<E, R>(state: string): Middleware<E, R> {
  return {
    onError: (invocation) => {
      const { error } = invocation;
      const { code, message } = error instanceof PetraError ? error : unforeseen(state, error);
      const named = new Error(message);
      named.name = code;
      named.stack = `${code}: ${message}`;
      invocation.error = named;
    },
  };
}
