import { usageError } from './usage.ts';

/**
 * The value of an option that takes a whole number.
 * @throws InvalidUsage naming the option and the range
 */
export function wholeNumber(
  text: string,
  option: string,
  least: number,
  most = Number.MAX_SAFE_INTEGER,
): number {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (value >= least && value <= most) return value;
  const range = most === Number.MAX_SAFE_INTEGER ? `of at least ${least}` : `from ${least} to ${most}`;
  throw usageError(`${option}: "${text}" is not a whole number ${range}`);
}
