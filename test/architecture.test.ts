import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';

const root = path.join(import.meta.dirname, '..');

/** What each folder may import: other folders of Petra, and packages. */
const allowed: Readonly<
  Record<string, { readonly folders: readonly string[]; readonly packages: readonly string[] }>
> = {
  core: { folders: ['core'], packages: ['zod', 'yaml', 'node:crypto', 'node:zlib'] },
  adapters: { folders: ['core', 'adapters'], packages: ['@aws-sdk/', '@smithy/', 'yaml', 'node:'] },
  local: {
    folders: ['core', 'adapters', 'local'],
    packages: [
      'aws-local-stepfunctions',
      'dynalite',
      'classic-level',
      '@peculiar/x509',
      'yaml',
      '@aws-sdk/',
      '@smithy/',
      'node:',
    ],
  },
  cli: { folders: ['core', 'cli'], packages: ['commander', 'yaml', 'node:'] },
};

/** Packages that only one file may import, so that a replacement touches one file. */
const singleImporters: Readonly<Record<string, string>> = {
  'aws-local-stepfunctions': 'local/run-workflow.ts',
  'classic-level': 'local/disk.ts',
  '@peculiar/x509': 'local/kubernetes/certificates.ts',
};

function sources(folder: string): string[] {
  return readdirSync(path.join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => path.relative(root, path.join(entry.parentPath, entry.name)));
}

function importsOf(file: string): string[] {
  const text = readFileSync(path.join(root, file), 'utf8');
  return [
    ...text.matchAll(/(?:^|\n)\s*(?:import|export)\s[^'"`;]*?from\s+'([^']+)'|\bimport\(\s*'([^']+)'\s*\)/g),
  ].map((match) => match[1] ?? match[2] ?? '');
}

describe.each(Object.entries(allowed))('%s', (folder, { folders, packages }) => {
  test.each(sources(folder))('%s imports only what it may', (file) => {
    const wrong = importsOf(file).filter((name) => {
      if (!name.startsWith('.'))
        return !packages.some(
          (allowedName) =>
            name === allowedName ||
            (/[/:]$/.test(allowedName) && name.startsWith(allowedName)) ||
            name.startsWith(`${allowedName}/`),
        );
      const target = path.relative(root, path.resolve(root, path.dirname(file), name));
      return !folders.includes(target.split(path.sep)[0] ?? '') && target !== 'package.json';
    });
    expect(wrong).toEqual([]);
  });
});

test.each(Object.entries(singleImporters))('%s is imported by %s alone', (name, file) => {
  const importers = Object.keys(allowed)
    .flatMap(sources)
    .filter((source) => importsOf(source).some((one) => one === name || one.startsWith(`${name}/`)));
  expect(importers).toEqual([file]);
});

test('nobody imports through a barrel', () => {
  const barrels = Object.keys(allowed)
    .flatMap(sources)
    .filter((file) => path.basename(file) === 'index.ts');
  expect(barrels).toEqual([]);
});

test('core reads no clock, environment or randomness of its own', () => {
  const impure = sources('core').filter((file) =>
    /\bDate\.now\(|new Date\(\)|process\.|Math\.random\(|randomUUID|randomBytes/.test(
      readFileSync(path.join(root, file), 'utf8'),
    ),
  );
  expect(impure).toEqual([]);
});
