// Writes the table of faults in docs/local.md from local/faults.ts; the text around it is written by hand.

import { readFileSync, writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { faultForm, faultKinds } from '../local/faults.ts';

const begin = '<!-- faults: written by scripts/generate-local-doc.ts -->';
const end = '<!-- end of faults -->';

/** The page with its table brought up to date. Repeating it changes nothing. */
export function renderLocalDoc(page: string): string {
  const start = page.indexOf(begin);
  const stop = page.indexOf(end);
  if (start === -1 || stop < start) throw new Error(`docs/local.md lacks the lines ${begin} and ${end}`);
  return `${page.slice(0, start)}${begin}\n\n${renderTable()}\n\n${page.slice(stop)}`;
}

function renderTable(): string {
  const rows = faultKinds.map((kind) => {
    const cells = [`\`${faultForm(kind)}\``, kind.description, kind.effect];
    return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  });
  return ['| fault | what is wrong | what Petra does |', '|---|---|---|', ...rows].join('\n');
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const file = new URL('../docs/local.md', import.meta.url);
  writeFileSync(file, renderLocalDoc(readFileSync(file, 'utf8')));
}
