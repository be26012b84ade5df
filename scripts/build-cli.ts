// Bundles the command line into dist/ for a quick start: a small file that answers `--version`, a chunk for each
// command, and what several need in chunks of its own.

import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { build, type Plugin } from 'esbuild';

const root = path.resolve(import.meta.dirname, '..');
const manifest: { version: string } = JSON.parse(await readFile(path.join(root, 'package.json'), 'utf8'));

/** commander imports this for commands that are programs of their own. Petra has none, and loading it takes 3 ms. */
const withoutSubprograms: Plugin = {
  name: 'without-subprograms',
  setup(bundle) {
    bundle.onResolve({ filter: /^node:child_process$/ }, ({ importer, path: name }) =>
      importer.includes(`${path.sep}commander${path.sep}`) ? { path: name, namespace: 'absent' } : undefined,
    );
    bundle.onLoad({ filter: /.*/, namespace: 'absent' }, () => ({ contents: 'export default {};' }));
  },
};

/**
 * Imports of built-in modules, as plain look-ups. For an import, Node makes a module with every property of the
 * built-in one, and so runs the getters that would have loaded the rest of it later: 7 ms for `petra capi list`.
 */
function lookUpBuiltins(code: string): string {
  const statement =
    /import\s*(?:([\w$]+)\s*,?\s*)?(?:\*\s*as\s+([\w$]+)|\{([^}]*)\})?\s*from\s*"(node:[^"]+)";/g;
  const plain = code.replace(
    statement,
    (_, byDefault?: string, all?: string, some?: string, name?: string) => {
      const module = `process.getBuiltinModule("${name}");`;
      const names = some?.replaceAll(/\s+as\s+/g, ':');
      return [byDefault, all, names === undefined ? undefined : `{${names}}`]
        .map((binding) => (binding ? `const ${binding}=${module}` : ''))
        .join('');
    },
  );
  if (/from\s*"node:/.test(plain)) throw new Error('an import of a built-in module was not understood');
  return plain;
}

const folder = path.join(root, 'dist');
await rm(folder, { recursive: true, force: true });
const { outputFiles } = await build({
  absWorkingDir: root,
  entryPoints: ['cli/main.ts'],
  // All of it one level below the root, as the sources of cli/ are: files are found from the bundle as from those.
  outdir: folder,
  write: false,
  bundle: true,
  splitting: true,
  minify: true,
  format: 'esm',
  platform: 'node',
  target: 'node24',
  // The AWS SDK's form for Node calls require() as well, and cannot be taken apart: its modules can.
  mainFields: ['module', 'main'],
  // The same code as modules: its form for Node calls require(), which bundled modules do not have.
  alias: { yaml: path.join(root, 'node_modules/yaml/browser/index.js') },
  define: { PETRA_VERSION: JSON.stringify(manifest.version) },
  plugins: [withoutSubprograms],
  legalComments: 'none',
  logLevel: 'warning',
});
await mkdir(folder, { recursive: true });
// main.js last: the launcher takes the bundle as soon as it is there.
const ordered = outputFiles.toSorted(
  (a, b) => Number(a.path.endsWith('main.js')) - Number(b.path.endsWith('main.js')),
);
for (const file of ordered) await writeFile(file.path, lookUpBuiltins(file.text));
const bytes = outputFiles.reduce((sum, file) => sum + file.contents.length, 0);
console.log(`dist/main.js and ${outputFiles.length - 1} chunks, ${Math.round(bytes / 1024)} KiB`);
