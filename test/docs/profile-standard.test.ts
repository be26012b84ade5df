import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { renderProfileDoc } from '../../scripts/generate-profile-doc.ts';

const page = readFileSync('docs/profile-standard.md', 'utf8');

describe('docs/profile-standard.md', () => {
  test('has the present settings (else run scripts/generate-profile-doc.ts)', () => {
    expect(renderProfileDoc(page)).toBe(page);
  });

  test('names only files that exist', () => {
    const named = [...page.matchAll(/`((?:core|test|docs)\/[\w./-]+)`/g)].map(([, file = '']) => file);
    expect(named.length).toBeGreaterThan(2);
    for (const file of named) expect([file, existsSync(file)]).toEqual([file, true]);
  });

  test('cannot be rendered without its markers', () => {
    expect(() => renderProfileDoc('# no settings')).toThrow('lacks the lines');
  });
});
