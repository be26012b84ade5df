import { PetraError } from '../errors.ts';

/** A spec is at most 64 KiB; its JSON can be a little longer. */
export const maximumBody = 256 * 1024;

/** The JSON in a request's body; undefined when it is empty. @throws InvalidRequest */
export function parseBody(bytes: Buffer): unknown {
  if (bytes.length > maximumBody) throw bodyTooLong();
  if (bytes.length === 0) return undefined;
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch (error) {
    throw new PetraError('InvalidRequest', 'the body is not JSON', { cause: error });
  }
}

/** The refusal of a body that is longer than any request needs. */
export function bodyTooLong(): PetraError {
  return new PetraError('InvalidRequest', `the body is longer than ${maximumBody} bytes`);
}
