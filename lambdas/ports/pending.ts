import { PetraError } from '../../core/errors.ts';

/** Stands where an adapter is still to come. */
export function pending(port: string): never {
  throw new PetraError('InternalError', `this build has no adapter for ${port} yet`);
}
