// Writes the table of fields in docs/spec.md from the schema; the text around it is written by hand.

import { readFileSync, writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { type FieldSchema, listFields } from '../core/capi/spec-fields.ts';

const begin = '<!-- fields: written by scripts/generate-spec-doc.ts -->';
const end = '<!-- end of fields -->';

/** The page with its table brought up to date. Repeating it changes nothing. */
export function renderSpecDoc(page: string): string {
  const start = page.indexOf(begin);
  const stop = page.indexOf(end);
  if (start === -1 || stop < start) throw new Error(`docs/spec.md lacks the lines ${begin} and ${end}`);
  return `${page.slice(0, start)}${begin}\n\n${renderTable()}\n\n${page.slice(stop)}`;
}

function renderTable(): string {
  const optional = new Set<string>();
  const rows = listFields().map(({ path, field, required }) => {
    const outer = path.slice(0, Math.max(0, path.lastIndexOf('.')));
    if (!required) optional.add(path);
    const cells = [
      `\`${path}\``,
      describeType(field),
      describePresence(field, required, outer, optional),
      meaning(field),
    ];
    return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  });
  return ['| field | type | required or default | meaning |', '|---|---|---|---|', ...rows].join('\n');
}

function describeType(field: FieldSchema): string {
  if (field.const !== undefined) return `\`${field.const}\``;
  if (field.enum !== undefined) return field.enum.map((value) => `\`${value}\``).join(', ');
  if (field.type === 'integer') return `whole number, ${field.minimum} to ${field.maximum}`;
  if (field.type === 'array') return `list of text, ${field.minItems} to ${field.maxItems}`;
  if (field.type === 'boolean') return '`true`, `false`';
  return field.type === 'string' ? 'text' : 'mapping';
}

function describePresence(
  field: FieldSchema,
  required: boolean,
  outer: string,
  optional: ReadonlySet<string>,
): string {
  if (required)
    return optional.has(outer) ? `required in \`${outer.slice(outer.lastIndexOf('.') + 1)}\`` : 'required';
  const isPlain = field.default !== undefined && typeof field.default !== 'object';
  return isPlain ? `default \`${field.default}\`` : 'optional';
}

function meaning(field: FieldSchema): string {
  const isText = field.type === 'string' && field.const === undefined && field.enum === undefined;
  const examples = isText ? (field.examples ?? []).map((example) => `\`${example}\``) : [];
  return examples.length === 0
    ? `${field.description}`
    : `${field.description} For example ${examples.join(', ')}.`;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const file = new URL('../docs/spec.md', import.meta.url);
  writeFileSync(file, renderSpecDoc(readFileSync(file, 'utf8')));
}
