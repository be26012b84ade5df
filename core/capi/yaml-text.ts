import { stringify } from 'yaml';

/**
 * YAML that every parser on the way reads alike: strings which a YAML 1.1 parser (Go's, PyYAML's) would take for a
 * number or boolean are quoted, nothing is folded, and equal objects are written twice rather than as an alias.
 */
export function yamlText(value: unknown): string {
  return stringify(value, { lineWidth: 0, aliasDuplicateObjects: false, compat: 'yaml-1.1' });
}
