import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { errorCatalogue } from '../../core/errors.ts';
import { stateFileNames } from '../../core/local-state.ts';
import { faultKinds, parseFault } from '../../local/faults.ts';
import { renderLocalDoc } from '../../scripts/generate-local-doc.ts';

const page = readFileSync('docs/local.md', 'utf8');

describe('docs/local.md', () => {
  test('has the table of the present faults (else run scripts/generate-local-doc.ts)', () => {
    expect(renderLocalDoc(page)).toBe(page);
  });

  test('shows only faults that exist', () => {
    const shown = [...page.matchAll(/--fault (\S+:\S+)/g)].map(([, fault]) => fault ?? '');
    expect(shown.length).toBeGreaterThan(3);
    for (const fault of shown) expect(parseFault(fault).text).not.toBe('');
  });

  test('names only codes that exist', () => {
    const named = faultKinds.flatMap(({ effect }) => [...effect.matchAll(/`([A-Z][A-Za-z]+)`/g)]);
    for (const [, code = ''] of named) expect(errorCatalogue).toHaveProperty(code);
  });

  test('names only files that exist, and every file of the state folder but the start lock', () => {
    for (const [, file = ''] of page.matchAll(/`((?:local|test)\/[\w./-]+)`/g))
      expect([file, existsSync(file)]).toEqual([file, true]);
    for (const name of Object.values(stateFileNames)) {
      if (name !== stateFileNames.startLock) expect(page).toContain(`\`${name}\``);
    }
  });

  test('cannot be rendered without its markers', () => {
    expect(() => renderLocalDoc('# no table')).toThrow('lacks the lines');
  });
});
