import { PetraError } from '../core/errors.ts';

const units: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };

/**
 * Seconds of a duration such as `90s`, `20m` or `1h30m`.
 * @throws InvalidUsage for anything else, naming the option and what is accepted.
 */
export function parseDuration(text: string, option: string): number {
  const parts = [...text.matchAll(/(\d+)([smhd])/g)];
  const consumed = parts.map((part) => part[0]).join('');
  const seconds = parts.reduce((sum, part) => sum + Number(part[1]) * (units[part[2] ?? ''] ?? 0), 0);
  if (consumed !== text || seconds <= 0) {
    throw new PetraError('InvalidUsage', `${option}: "${text}" is not a duration`, {
      fix: 'Write a whole number with a unit, such as 90s, 20m, 1h30m or 2d.',
    });
  }
  return seconds;
}

/** `42s`, `3m05s`, `2h07m`, `5d03h`: the two largest units. */
export function formatDuration(totalSeconds: number): string {
  const seconds = Math.max(0, Math.floor(totalSeconds));
  const pad = (value: number) => String(value).padStart(2, '0');
  if (seconds < 60) return `${seconds}s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m${pad(seconds % 60)}s`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)}h${pad(Math.floor((seconds % 3600) / 60))}m`;
  return `${Math.floor(seconds / 86_400)}d${pad(Math.floor((seconds % 86_400) / 3600))}h`;
}

/** An age as tables show it: one unit, like kubectl's. */
export function formatAge(since: string | undefined, now: Date): string {
  if (since === undefined) return '';
  const seconds = Math.max(0, Math.floor((now.getTime() - Date.parse(since)) / 1000));
  if (seconds < 120) return `${seconds}s`;
  if (seconds < 120 * 60) return `${Math.floor(seconds / 60)}m`;
  if (seconds < 48 * 3600) return `${Math.floor(seconds / 3600)}h`;
  return `${Math.floor(seconds / 86_400)}d`;
}

/** What is left of an estimate in words; empty when there is none to give. */
export function remainingTime(estimateSeconds: number | undefined, elapsedSeconds: number): string {
  if (estimateSeconds === undefined) return '';
  const left = estimateSeconds - elapsedSeconds;
  if (left < -estimateSeconds / 2 - 10) return 'longer than usual';
  if (left < 5) return 'almost done';
  if (left < 60) return `about ${Math.ceil(left / 10) * 10}s left`;
  if (left < 3600) return `about ${Math.round(left / 60)}m left`;
  return `about ${formatDuration(Math.round(left / 60) * 60)} left`;
}
