// The only reader of the environment in lambdas/. Which variables a function reads is derived from the calls to these
// functions (scripts/function-calls.ts), so a name is given as a literal.

import { PetraError } from '../core/errors.ts';

/** A variable that the stack sets. @throws InternalError that names it when it did not */
export function requireEnv(name: string): string {
  const value = optionalEnv(name);
  if (value !== undefined) return value;
  throw new PetraError('InternalError', `the environment variable ${name} of this function is not set`, {
    fix: 'Deploy the stack again: it gives each function the variables that it reads.',
  });
}

/** A variable that may be left out; an empty one counts as left out. */
export function optionalEnv(name: string): string | undefined {
  const value = process.env[name];
  return value === '' ? undefined : value;
}
