import { stripVTControlCharacters } from 'node:util';

/** What a machine wrote to its console as lines for people: without what would move about in their terminal. */
export function consoleLines(text: string): string[] {
  return stripVTControlCharacters(text)
    .split(/\r\n|\n|\r/)
    .map((line) =>
      line
        .replaceAll('\t', ' ')
        .replace(/\p{Cc}/gu, '')
        .trimEnd(),
    )
    .filter((line) => line !== '');
}
