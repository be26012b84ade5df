import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { errorToProblem, reportError } from '../../cli/error-report.ts';
import { Output } from '../../cli/output.ts';
import { errorCatalogue } from '../../core/errors.ts';
import { workloadClustersExist } from '../../core/steps/destroy.ts';
import { allCodes, renderErrorDoc } from '../../scripts/generate-error-doc.ts';

const page = readFileSync('docs/errors.md', 'utf8');
const sample = workloadClustersExist('petra-mgmt', ['workload-dev']);

class RecordedOutput extends Output {
  readonly noted: string[] = [];

  override note(text: string): void {
    this.noted.push(text);
  }
}

function block(language: string): string {
  return new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, 'm').exec(page)?.[1] ?? '';
}

/** The text of every source that could name an error, except the catalogue itself. */
function sources(): string[] {
  return ['core', 'adapters', 'local', 'cli'].flatMap((folder) =>
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
      .map((entry) => path.join(entry.parentPath, entry.name))
      .filter((file) => file !== path.join('core', 'errors.ts'))
      .map((file) => readFileSync(file, 'utf8')),
  );
}

describe('docs/errors.md', () => {
  test('has the present catalogue (else run scripts/generate-error-doc.ts)', () => {
    expect(page).toBe(renderErrorDoc());
  });

  test('has each code exactly once, in alphabetical order within its source', () => {
    const codes = [...page.matchAll(/^### (.*)$/gm)].map((match) => match[1] ?? '');
    expect(codes.toSorted()).toEqual(allCodes());
    for (const section of page.split(/^## /m)) {
      const inSection = [...section.matchAll(/^### (.*)$/gm)].map((match) => match[1]);
      expect(inSection).toEqual(inSection.toSorted());
    }
  });

  test('shows an error as the CLI prints it', async () => {
    const output = new RecordedOutput({ NO_COLOR: '1' });
    await reportError(sample, output, false);
    expect(block('text')).toBe(`${output.noted.join('\n')}\n`);
  });

  test('shows an error as the CLI prints it with -o json', () => {
    expect(JSON.parse(block('json'))).toEqual(errorToProblem(sample));
  });

  test('explains every exit code that an error can have', () => {
    const explained = new Set([...page.matchAll(/^\| (\d+) \|/gm)].map((match) => Number(match[1])));
    for (const { exit } of Object.values(errorCatalogue)) expect(explained).toContain(exit);
  });
});

describe('error codes', () => {
  test('are a contract: taking one away or adding one changes error-codes.txt too', () => {
    const promised = readFileSync(path.join(import.meta.dirname, 'error-codes.txt'), 'utf8');
    expect(`${allCodes().join('\n')}\n`).toBe(promised);
  });

  test.each(allCodes())('%s is in use', (code) => {
    expect(sources().some((text) => text.includes(`'${code}'`))).toBe(true);
  });

  test.each(Object.entries(errorCatalogue))('%s has a status that fits its exit code', (_code, entry) => {
    if (entry.status === 404) expect(entry.exit).toBe(3);
    if (entry.exit === 3) expect(entry.status).toBe(404);
    if (entry.exit === 6) expect(entry.status).toBe(504);
    if (entry.exit === 2) expect([400, 422]).toContain(entry.status);
    if (entry.exit === 4) expect(entry.status).toBe(409);
    if (entry.status === 504) expect(entry.exit).toBe(6);
  });

  test.each(Object.entries(errorCatalogue))('%s says what it means and what to do', (_code, entry) => {
    expect(entry.cause).toMatch(/^[A-Za-z`].*\.$/);
    expect(entry.fix).toMatch(/^[A-Z`].*\.$/);
  });
});
