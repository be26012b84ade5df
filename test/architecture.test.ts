import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { routes } from '../core/api/routes.ts';

const root = path.join(import.meta.dirname, '..');

/** What each folder may import: other folders of Petra, and packages. */
const allowed: Readonly<
  Record<string, { readonly folders: readonly string[]; readonly packages: readonly string[] }>
> = {
  core: { folders: ['core'], packages: ['zod', 'yaml', 'js-yaml', 'node:crypto', 'node:zlib'] },
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
  lambdas: {
    folders: ['core', 'adapters', 'lambdas', 'state-machines'],
    packages: ['@aws-sdk/', '@middy/core', 'node:'],
  },
  cdk: {
    folders: ['cdk'],
    packages: ['aws-cdk-lib', 'constructs', 'cdk-nag', 'esbuild', 'node:'],
  },
  cli: {
    folders: ['core', 'cli'],
    packages: [
      'commander',
      'yaml',
      '@aws-sdk/credential-provider-node',
      '@aws-sdk/client-ssm',
      '@smithy/signature-v4',
      '@smithy/core',
      'node:',
    ],
  },
};

/** Packages that only one file may import, so that a replacement touches one file. */
const singleImporters: Readonly<Record<string, string>> = {
  'aws-local-stepfunctions': 'local/run-workflow.ts',
  'classic-level': 'local/disk.ts',
  '@peculiar/x509': 'local/kubernetes/certificates.ts',
  '@aws-sdk/credential-provider-node': 'cli/aws-credentials.ts',
  '@smithy/signature-v4': 'cli/aws-signer.ts',
};

function sources(folder: string): string[] {
  if (!existsSync(path.join(root, folder))) return [];
  return readdirSync(path.join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => path.relative(root, path.join(entry.parentPath, entry.name)));
}

function read(file: string): string {
  return readFileSync(path.join(root, file), 'utf8');
}

/** What a source text names in imports of every form, re-exports included. */
function importsIn(text: string): string[] {
  const forms = [
    /(?:^|\n)\s*(?:import|export)\s[^'"`;]*?\bfrom\s*['"]([^'"]+)['"]/g,
    /(?:^|\n)\s*import\s*['"]([^'"]+)['"]/g,
    /\b(?:import|require|getBuiltinModule)\(\s*['"`]([^'"`]+)['"`]/g,
  ];
  return forms.flatMap((form) => [...text.matchAll(form)].map((match) => match[1] ?? ''));
}

/** Imports of a file that its folder may not have. */
function forbidden(file: string, text: string): string[] {
  const { folders, packages } = allowed[file.split('/')[0] ?? ''] ?? { folders: [], packages: [] };
  return importsIn(text).filter((name) => {
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
}

/** What makes a function's result depend on more than its arguments. */
const impure =
  /\bDate\.now\(|\bDate\(\)|\bprocess\b\s*[.[]|\bMath\.random\(|\brandom(?:UUID|Bytes|Int)\b|getRandomValues|\bperformance\.|\bset(?:Timeout|Interval|Immediate)\(|\bfetch\(\s*['"`]|\bconsole\./;

describe.each(Object.keys(allowed).filter((folder) => sources(folder).length > 0))('%s', (folder) => {
  test.each(sources(folder))('%s imports only what it may', (file) => {
    expect(forbidden(file, read(file))).toEqual([]);
  });
});

test.each(Object.entries(singleImporters))('%s is imported by %s alone', (name, file) => {
  const importers = Object.keys(allowed)
    .flatMap(sources)
    .filter((source) => importsIn(read(source)).some((one) => one === name || one.startsWith(`${name}/`)));
  expect(importers).toEqual([file]);
});

test('nobody imports through a barrel', () => {
  const barrels = Object.keys(allowed)
    .flatMap(sources)
    .filter(
      (file) =>
        path.basename(file) === 'index.ts' || /^export (?:type )?[{*][^;]*\bfrom\s*'/m.test(read(file)),
    );
  expect(barrels).toEqual([]);
});

test('core reads no clock, environment or randomness of its own', () => {
  expect(sources('core').filter((file) => impure.test(read(file)))).toEqual([]);
});

test('the functions of Lambda read the environment in one file', () => {
  const readers = sources('lambdas').filter((file) =>
    /\bprocess\b\s*[.[]\s*['"]?env\b|\{[^}]*\benv\b[^}]*\}\s*=\s*process\b/.test(read(file)),
  );
  expect(readers).toEqual(['lambdas/env.ts']);
});

/** What a handler file wires, from its text: the wrapper, the name it gives, and the function of core. */
function wiring(file: string): { readonly wrapper: string; readonly arguments: readonly string[] } {
  const [, wrapper = '', given = ''] = /export const handler = (\w+)\(([^{()]*)/.exec(read(file)) ?? [];
  return {
    wrapper,
    arguments: given
      .split(',')
      .map((one) => one.trim().replaceAll("'", ''))
      .filter(Boolean),
  };
}

function kebabCase(name: string): string {
  return name.replace(/(?<!^)[A-Z]/g, '-$&').toLowerCase();
}

function camelCase(name: string): string {
  return `${name[0]?.toLowerCase()}${name.slice(1)}`;
}

interface Definition {
  readonly States: Readonly<
    Record<
      string,
      {
        readonly Type: string;
        readonly Parameters?: { readonly FunctionName?: string };
        readonly ItemProcessor?: Definition;
      }
    >
  >;
}

/** Every Task state, those inside a Map included, with the placeholder of its function. */
function tasksIn({ States }: Definition): [state: string, placeholder: string | undefined][] {
  return Object.entries(States).flatMap(([name, { Type, Parameters, ItemProcessor }]) => [
    ...(Type === 'Task' ? [[name, Parameters?.FunctionName] as [string, string | undefined]] : []),
    ...(ItemProcessor ? tasksIn(ItemProcessor) : []),
  ]);
}

const verbs = readdirSync(path.join(root, 'state-machines'))
  .filter((file) => file.endsWith('.asl.json'))
  .map((file) => file.replace('.asl.json', ''));

describe.each(verbs)('the verb %s has one name for each state', (verb) => {
  const tasks = tasksIn(JSON.parse(read(`state-machines/${verb}.asl.json`)));

  test.each(tasks)('%s: placeholder, handler file, function of core', (state, placeholder) => {
    expect(placeholder).toBe(`\${${state}}`);
    const { wrapper, arguments: given } = wiring(`lambdas/${verb}/${kebabCase(state)}.ts`);
    if (state === 'RecordFailure') expect(wrapper).toBe('failureTask');
    else expect(given).toEqual([state, camelCase(state)]);
  });

  test('and no handler without a state', () => {
    const files = sources(`lambdas/${verb}`).map((file) => path.basename(file, '.ts'));
    expect(files.toSorted()).toEqual(tasks.map(([state]) => kebabCase(state)).toSorted());
  });
});

describe('the API has one name for each route', () => {
  const operationIds = Object.values<Record<string, { readonly operationId?: string }>>(
    JSON.parse(read('docs/openapi.json')).paths,
  ).flatMap((operations) => Object.values(operations).flatMap(({ operationId }) => operationId ?? []));

  test('in the table, in the OpenAPI document and in lambdas/api', () => {
    const names = routes.map(({ name }) => name).toSorted();
    expect(operationIds.toSorted()).toEqual(names);
    expect(
      sources('lambdas/api')
        .map((file) => path.basename(file, '.ts'))
        .toSorted(),
    ).toEqual(names);
  });

  test.each(routes.map(({ name, answer }) => [name, answer.name]))('%s is answered by %s', (name, answer) => {
    expect(wiring(`lambdas/api/${name}.ts`)).toEqual({ wrapper: 'route', arguments: [answer] });
  });
});

describe('what these tests would catch', () => {
  test.each([
    ['core/a.ts', "import { readFile } from 'node:fs/promises';"],
    ['core/a.ts', "import 'node:fs';"],
    ['core/a.ts', "import type { Disk } from '../local/disk.ts';"],
    ['core/steps/a.ts', "import {\n  type A,\n  b,\n} from '../../adapters/kubeconfig.ts';"],
    ['core/a.ts', "export { parseKubeconfig } from '../adapters/kubeconfig.ts';"],
    ['core/a.ts', "export * from '../cli/run.ts';"],
    ['core/a.ts', "const sdk = await import('@aws-sdk/client-ec2');"],
    ['core/a.ts', "const { readFileSync } = process.getBuiltinModule('node:fs');"],
    ['adapters/a.ts', "import { Disk } from '../local/disk.ts';"],
    ['adapters/a.ts', 'import x from "commander";'],
    ['cli/a.ts', "import { serveApi } from '../local/server.ts';"],
    ['cli/commands/a.ts', "await import('../../adapters/kubeconfig.ts');"],
    ['cli/a.ts', "import { z } from 'zod';"],
    ['local/a.ts', "import { run } from '../cli/run.ts';"],
  ])('in %s: %s', (file, text) => {
    expect(forbidden(file, `// A file.\n${text}\n`)).toHaveLength(1);
  });

  test.each([
    'const now = Date.now();',
    'const now = new Date();',
    'const { HOME } = process.env;',
    "const home = process['env'];",
    'const uid = randomUUID();',
    'const bytes = crypto.getRandomValues(new Uint8Array(8));',
    'const started = performance.now();',
    'setTimeout(later, 1);',
    "await fetch('https://example.com');",
  ])('in core: %s', (text) => {
    expect(impure.test(text)).toBe(true);
  });
});
