// Bundles each handler into build/lambdas/<verb>/<name>/index.mjs, as the stack deploys it. The same sources make the
// same bytes.

import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { build, type Metafile, type Plugin } from 'esbuild';

const root = path.resolve(import.meta.dirname, '..');

/** Folders of lambdas/ that hold handlers: the verbs, and the routes. */
const handlerFolders = ['api', 'create', 'delete', 'destroy', 'init', 'reconcile'];

/** Names of all functions, `<verb>/<name>`: one for each handler file. */
export async function functionNames(): Promise<string[]> {
  const names = await Promise.all(
    handlerFolders.map(async (folder) => {
      const files = await readdir(path.join(root, 'lambdas', folder)).catch(() => []);
      return files.map((file) => `${folder}/${path.basename(file, '.ts')}`);
    }),
  );
  return names.flat().toSorted();
}

/** The SDK is in Lambda's runtime. Importing one of its packages does nothing by itself, so an unused import goes. */
const sdkOutside: Plugin = {
  name: 'sdk-outside',
  setup(bundle) {
    bundle.onResolve({ filter: /^@(aws-sdk|smithy)\// }, ({ path: name }) => ({
      path: name,
      external: true,
      sideEffects: false,
    }));
  },
};

/**
 * Modules of Petra, and of yaml, do nothing by being imported; neither says so in a way that esbuild reads. Without it
 * a function holds whatever its modules' neighbours import.
 */
const pureModules: Plugin = {
  name: 'pure-modules',
  setup(bundle) {
    const resolved = Symbol('resolved');
    bundle.onResolve({ filter: /^\.|^(js-)?yaml$/ }, async ({ path: name, pluginData, ...rest }) => {
      if (pluginData === resolved) return undefined;
      const { kind, importer, resolveDir } = rest;
      if (kind === 'entry-point') return undefined;
      const found = await bundle.resolve(name, { kind, importer, resolveDir, pluginData: resolved });
      return found.errors.length > 0
        ? found
        : { path: found.path, namespace: found.namespace, sideEffects: false };
    });
  },
};

export interface Bundle {
  readonly name: string;
  readonly code: string;
  /** Bytes in the bundle by source file, relative to the root. */
  readonly inputs: Readonly<Record<string, number>>;
  /** What it imports when it starts: packages of the SDK, and Node's own. */
  readonly imports: readonly string[];
}

/** The bundles of these functions, made in memory. */
export async function bundleLambdas(names: readonly string[]): Promise<Bundle[]> {
  const { outputFiles, metafile } = await build({
    absWorkingDir: root,
    entryPoints: names.map((name) => ({ in: `lambdas/${name}.ts`, out: `${name}/index` })),
    outdir: path.join(root, 'build/lambdas'),
    outExtension: { '.js': '.mjs' },
    write: false,
    bundle: true,
    // No chunks shared by several: each function is deployed by itself.
    splitting: false,
    minify: true,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    // The same code as modules: its form for Node calls require(), which bundled modules do not have.
    alias: { yaml: path.join(root, 'node_modules/yaml/browser/index.js') },
    plugins: [sdkOutside, pureModules],
    metafile: true,
    legalComments: 'none',
    logLevel: 'warning',
  });
  return outputFiles.map((file) => {
    const output = path.relative(root, file.path);
    const name = path.dirname(path.relative('build/lambdas', output));
    const imports = metafile.outputs[output]?.imports.map((one) => one.path) ?? [];
    return { name, code: file.text, inputs: inputsOf(metafile, output), imports };
  });
}

function inputsOf(metafile: Metafile, output: string): Record<string, number> {
  const inputs = Object.entries(metafile.outputs[output]?.inputs ?? {});
  return Object.fromEntries(inputs.map(([file, { bytesInOutput }]) => [file, bytesInOutput]));
}

async function main(): Promise<void> {
  const bundles = await bundleLambdas(await functionNames());
  const folder = path.join(root, 'build/lambdas');
  await rm(folder, { recursive: true, force: true });
  for (const { name, code } of bundles) {
    await mkdir(path.join(folder, name), { recursive: true });
    await writeFile(path.join(folder, name, 'index.mjs'), code);
  }
  const sizes = bundles.map(({ code }) => Buffer.byteLength(code));
  const largest = Math.round(Math.max(...sizes) / 1024);
  console.log(`build/lambdas: ${bundles.length} functions, at most ${largest} KiB each`);
}

if (import.meta.main) await main();
