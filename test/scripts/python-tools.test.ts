import { chmod, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { pythonTool } from '../../scripts/python-tools.ts';

/** Stands in for Python: makes the folder of a venv, and notes each installation, which fails where there is a file `broken`. */
const standIn = `#!/bin/sh
here=$(dirname "$PETRA_CACHE")
case "$*" in
  "-m venv "*) mkdir -p "$3/bin" && cp "$0" "$3/bin/python" ;;
  "-m pip "*) echo "$0" >> "$here/installed"; if [ -e "$here/broken" ]; then echo "no such version" >&2; exit 1; fi ;;
esac
`;

describe('tools in Python', () => {
  let folder: string;
  const { PATH, PETRA_CACHE } = process.env;

  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'petra-python-'));
    await writeFile(path.join(folder, 'python3'), standIn);
    await chmod(path.join(folder, 'python3'), 0o755);
    process.env.PATH = `${folder}${path.delimiter}${PATH}`;
    process.env.PETRA_CACHE = path.join(folder, 'cache');
  });

  afterEach(async () => {
    process.env.PATH = PATH;
    if (PETRA_CACHE === undefined) delete process.env.PETRA_CACHE;
    else process.env.PETRA_CACHE = PETRA_CACHE;
    await rm(folder, { recursive: true });
  });

  async function installations(): Promise<number> {
    return (await readFile(path.join(folder, 'installed'), 'utf8')).trim().split('\n').length;
  }

  it('are installed once, and found afterwards', async () => {
    const bin = await pythonTool('moto');
    expect(bin).toMatch(/\/cache\/python\/moto-[0-9a-f]{12}\/bin$/);
    expect(await readdir(bin)).toEqual(['python']);
    expect(await pythonTool('moto')).toBe(bin);
    expect(await installations()).toBe(1);
    expect(await pythonTool('cfn-lint')).not.toBe(bin);
  });

  it('are the same for all that install them at once, and nothing is left over', async () => {
    const bins = await Promise.all([1, 2, 3].map(() => pythonTool('moto')));
    expect(new Set(bins).size).toBe(1);
    // The link, and the one installation behind it.
    expect(await readdir(path.join(folder, 'cache', 'python'))).toHaveLength(2);
  });

  it('are installed anew when their Python is gone', async () => {
    const bin = await pythonTool('moto');
    const tool = path.dirname(bin);
    await rm(tool);
    await symlink('nowhere', tool);
    expect(await pythonTool('moto')).toBe(bin);
    expect(await readdir(bin)).toEqual(['python']);
  });

  it('that cannot be installed leave nothing, and say why and what to do', async () => {
    await writeFile(path.join(folder, 'broken'), '');
    await expect(pythonTool('moto')).rejects.toThrow(
      /cannot install moto: no such version[\s\S]*apt-get install python3/,
    );
    expect(await readdir(path.join(folder, 'cache', 'python'))).toEqual([]);
  });

  it('need a Python that is new enough, and say how to get it', async () => {
    process.env.PATH = path.join(folder, 'empty');
    await expect(pythonTool('moto')).rejects.toThrow(
      /no Python 3\.11 or newer is on the PATH[\s\S]*brew install/,
    );
  });
});
