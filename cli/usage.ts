import { PetraError } from '../core/errors.ts';

/** A wrong call of a command: exit code 2. */
export function usageError(message: string, fix?: string): PetraError {
  return new PetraError('InvalidUsage', message, fix === undefined ? {} : { fix });
}
