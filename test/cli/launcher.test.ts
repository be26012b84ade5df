import { chmodSync, copyFileSync, mkdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { Running, repository } from './run-petra.ts';
import { temporaryFolder } from './temporary-folder.ts';

const launcher = path.join(repository, 'bin', 'petra');
let folder: string;

beforeEach(() => {
  folder = temporaryFolder();
});

/** A program on the PATH that says what it was called with. */
function program(file: string, body: string): void {
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, `#!/bin/sh\n${body}\n`);
  chmodSync(file, 0o755);
}

const run = (command: string, args: readonly string[], searchPath = process.env.PATH ?? '') =>
  new Running(command, args, { env: { PATH: searchPath, PETRA_TOKEN: 'token' }, cwd: folder }).ended;

describe('the launcher', () => {
  it('runs from any folder, through links to links, relative and absolute', async () => {
    mkdirSync(path.join(folder, 'bin'));
    symlinkSync(launcher, path.join(folder, 'first'));
    symlinkSync('../first', path.join(folder, 'bin', 'petra'));
    for (const command of [
      launcher,
      path.join(folder, 'first'),
      path.join(folder, 'bin', 'petra'),
      './bin/petra',
    ]) {
      expect(await run(command, ['--version'])).toMatchObject({
        code: 0,
        stdout: 'petra 0.1.0\n',
        stderr: '',
      });
    }
    const bare = await run('petra', ['--version'], `${path.join(folder, 'bin')}:${process.env.PATH}`);
    expect(bare.stdout).toBe('petra 0.1.0\n');
  });

  it('hands arguments over as they are', async () => {
    const args = ['capi', 'describe', "a b'$(x)*", '--endpoint', 'http://127.0.0.1:9', '-o', 'json'];
    const result = await run(launcher, args);
    expect(result.code).toBe(7);
    expect(JSON.parse(result.stderr)).toMatchObject({ code: 'PetraUnreachable' });
  });

  describe('in a copy without its own Node', () => {
    let copy: string;

    beforeEach(() => {
      copy = path.join(folder, 'copy');
      mkdirSync(path.join(copy, 'bin'), { recursive: true });
      copyFileSync(launcher, path.join(copy, 'bin', 'petra'));
    });

    it('refuses an old Node and says what to do', async () => {
      program(path.join(folder, 'path', 'node'), 'echo v20.20.2');
      const result = await run(
        path.join(copy, 'bin', 'petra'),
        ['--version'],
        `${path.join(folder, 'path')}:/usr/bin:/bin`,
      );
      expect(result.code).toBe(1);
      expect(result.stderr).toContain('Petra needs Node 24, and found v20.20.2');
      expect(result.stderr).toContain('npm run setup');
    });

    it('takes a new Node on the path, and the sources when there is no bundle', async () => {
      program(
        path.join(folder, 'path', 'node'),
        'if [ "$1" = --version ]; then echo v26.1.0; else echo "$@"; fi',
      );
      const searchPath = `${path.join(folder, 'path')}:/usr/bin:/bin`;
      const petra = path.join(copy, 'bin', 'petra');
      expect((await run(petra, ['capi'], searchPath)).stdout).toBe(`${copy}/bin/../cli/main.ts capi\n`);
      mkdirSync(path.join(copy, 'dist'));
      writeFileSync(path.join(copy, 'dist', 'main.js'), '');
      expect((await run(petra, ['capi'], searchPath)).stdout).toBe(`${copy}/bin/../dist/main.js capi\n`);
    });

    it('takes the sources of a checkout when they are newer than the bundle', async () => {
      program(
        path.join(folder, 'path', 'node'),
        'if [ "$1" = --version ]; then echo v24.0.0; else echo "$1"; fi',
      );
      for (const inner of ['.git', 'cli', 'core', 'dist']) mkdirSync(path.join(copy, inner));
      const source = path.join(copy, 'core', 'errors.ts');
      const bundle = path.join(copy, 'dist', 'main.js');
      for (const file of [source, bundle]) writeFileSync(file, '');
      const started = async () => {
        const searchPath = `${path.join(folder, 'path')}:/usr/bin:/bin`;
        return path.basename((await run(path.join(copy, 'bin', 'petra'), ['x'], searchPath)).stdout.trim());
      };
      utimesSync(source, 1000, 1000);
      expect(await started()).toBe('main.js');
      utimesSync(bundle, 500, 500);
      expect(await started()).toBe('main.ts');
    });
  });
});
