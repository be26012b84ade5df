import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Bundle, bundleLambdas, functionNames } from '../../scripts/build-lambdas.ts';
import type { FunctionActions } from '../../scripts/function-calls.ts';

const root = path.join(import.meta.dirname, '../..');
const functions: Record<string, FunctionActions> = JSON.parse(
  readFileSync(path.join(root, 'cdk/function-actions.json'), 'utf8'),
);

/** Values that a stack could give. */
const environment: Readonly<Record<string, string>> = {
  NODE_PUBLIC_ADDRESSES: 'true',
  PETRA_MODE: 'aws',
  RELEASES_URL: 'https://mirror.example',
};

let bundles: Bundle[];
let folder: string;

beforeAll(async () => {
  bundles = await bundleLambdas(await functionNames());
  folder = mkdtempSync(path.join(tmpdir(), 'petra-bundles-'));
  // The SDK, as Lambda's runtime has it.
  symlinkSync(path.join(root, 'node_modules'), path.join(folder, 'node_modules'));
  for (const { name, code } of bundles) {
    mkdirSync(path.join(folder, name), { recursive: true });
    writeFileSync(path.join(folder, name, 'index.mjs'), code);
  }
}, 120_000);

afterAll(() => rmSync(folder, { recursive: true }));

/** Imports bundles one after the other, each with its own environment; says what its handler is. */
const starter = `
  const results = {};
  for (const { name, file, env } of JSON.parse(process.argv[1])) {
    process.env = env;
    results[name] = await import(file).then(({ handler }) => typeof handler, (error) => String(error));
  }
  console.log(JSON.stringify(results));
`;

async function start(names: readonly string[], variables: (name: string) => readonly string[]) {
  const all = names.map((name) => ({
    name,
    file: path.join(folder, name, 'index.mjs'),
    env: {
      AWS_REGION: 'us-east-1',
      ...Object.fromEntries(variables(name).map((one) => [one, environment[one] ?? 'some-value'])),
    },
  }));
  const { stdout } = await promisify(execFile)(process.execPath, [
    '--input-type=module',
    '--eval',
    starter,
    JSON.stringify(all),
  ]);
  return JSON.parse(stdout);
}

test('every function starts with the variables that the stack gives it, and no others', async () => {
  const names = bundles.map(({ name }) => name);
  expect(await start(names, (name) => functions[name]?.variables ?? [])).toEqual(
    Object.fromEntries(names.map((name) => [name, 'function'])),
  );
}, 60_000);

test('a function that lacks one says which', async () => {
  const started = await start(['init/check-api'], () => ['PETRA_MODE', 'PETRA_VERSION']);
  expect(started['init/check-api']).toMatch(/^InternalError: .*FLEET_TABLE/);
});

test('the same sources make the same bytes', async () => {
  const again = await bundleLambdas(['init/check-api', 'api/post-clusters']);
  for (const { name, code } of again) expect(code).toBe(bundles.find((one) => one.name === name)?.code);
});

describe('a bundle', () => {
  test('leaves the SDK to the runtime, and imports nothing else', () => {
    const imports = new Set(bundles.flatMap((bundle) => bundle.imports));
    expect([...imports].filter((name) => !/^(?:node:|@aws-sdk\/)/.test(name))).toEqual([]);
    expect(imports).toContain('@aws-sdk/lib-dynamodb');
  });

  test('says nothing of the machine that made it', () => {
    expect(
      bundles.filter(({ code }) => code.includes(root) || code.includes(process.env.HOME ?? root)),
    ).toEqual([]);
  });

  test('that only records an end carries neither the ClusterClass nor a YAML parser', () => {
    const inputs = bundles
      .filter(({ name }) => /record-(?:ready|removed|failure)$/.test(name))
      .flatMap((one) => Object.keys(one.inputs));
    expect(
      inputs.filter((file) =>
        /core\/capi\/(?:class|render|provider|spec)|node_modules\/(?:yaml|zod)\//.test(file),
      ),
    ).toEqual([]);
  });
});
