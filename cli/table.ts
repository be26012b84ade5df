import { stripVTControlCharacters } from 'node:util';

export interface Column<Row> {
  readonly title: string;
  readonly value: (row: Row) => string;
}

/** Characters as a terminal counts them, colours left out. */
export function visibleWidth(text: string): number {
  return [...stripVTControlCharacters(text)].length;
}

/** Cuts to `width` columns, with an ellipsis. Only for text without colours. */
export function truncate(text: string, width: number): string {
  const characters = [...text];
  return characters.length <= width ? text : `${characters.slice(0, Math.max(0, width - 1)).join('')}…`;
}

/** Rows under their titles, columns aligned, without trailing blanks. Nothing is cut: scripts read tables too. */
export function formatTable<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): string {
  const cells = [
    columns.map((column) => column.title),
    ...rows.map((row) => columns.map((column) => column.value(row) || '-')),
  ];
  const widths = columns.map((_, index) => Math.max(...cells.map((line) => visibleWidth(line[index] ?? ''))));
  return cells
    .map((line) =>
      line
        .map((cell, index) => cell + ' '.repeat((widths[index] ?? 0) - visibleWidth(cell)))
        .join('   ')
        .trimEnd(),
    )
    .join('\n');
}
