import { stripVTControlCharacters } from 'node:util';

export interface Column<Row> {
  readonly title: string;
  readonly value: (row: Row) => string;
  /** Colours of a cell, from its text. */
  readonly paint?: (text: string) => string;
}

/**
 * Text from elsewhere as one line that a terminal shows and does not obey: console output of a machine, messages of
 * controllers and names may hold escape sequences.
 */
export function plainText(text: string): string {
  return stripVTControlCharacters(text)
    .replaceAll(/\p{Cc}+/gu, ' ')
    .trimEnd();
}

/** One line of at most `width` columns, cut with an ellipsis. */
export function truncate(text: string, width: number): string {
  const line = plainText(text);
  const characters = [...line];
  if (characters.length <= width) return line;
  return width <= 0 ? '' : `${characters.slice(0, width - 1).join('')}…`;
}

/** Rows under their titles, columns aligned, without trailing blanks. Nothing is cut: scripts read tables too. */
export function formatTable<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): string {
  const cells = rows.map((row) => columns.map((column) => plainText(column.value(row)) || '-'));
  const lines = [columns.map((column) => column.title), ...cells];
  const widths = columns.map((_, index) => Math.max(...lines.map((line) => [...(line[index] ?? '')].length)));
  return lines
    .map((line, number) =>
      line
        .map((cell, index) => {
          const paint = number === 0 ? undefined : columns[index]?.paint;
          const isLast = index === columns.length - 1;
          const blanks = isLast ? '' : ' '.repeat((widths[index] ?? 0) - [...cell].length);
          return `${paint ? paint(cell) : cell}${blanks}`;
        })
        .join('   '),
    )
    .join('\n');
}
