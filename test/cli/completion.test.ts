import { spawnSync } from 'node:child_process';
import { symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { complete, type Names } from '../../cli/complete.ts';
import { completionScript, type Shell } from '../../cli/completion-scripts.ts';
import { Output } from '../../cli/output.ts';
import { buildProgram } from '../../cli/program.ts';
import { cleanEnv, petra, Running, repository } from './run-petra.ts';
import { StubApi, stubCluster, successScript } from './stub-api.ts';
import { temporaryFolder } from './temporary-folder.ts';

const names: Names = {
  clusters: async (kind) => [
    ...(kind === 'workload' ? [] : ['petra-mgmt']),
    ...(kind === 'management' ? [] : ['dev', 'prod']),
  ],
  operations: async () => ['create-dev-1'],
  profiles: async () => ['default', 'operations'],
  stacks: async () => ['Petra', 'PetraTest'],
};

async function candidates(...words: string[]): Promise<string[]> {
  const program = await buildProgram({ env: {}, output: new Output({}) });
  const { candidates: found, files } = await complete(program, words, names);
  return [...found.map((candidate) => candidate.value), ...(files ? [':files'] : [])];
}

describe('completion', () => {
  it.for<{ words: string[]; gives: string[] }>([
    { words: ['ca'], gives: ['capi'] },
    { words: ['capi', 'de'], gives: ['describe', 'delete', 'destroy'] },
    { words: ['capi', 'describe', ''], gives: ['petra-mgmt', 'dev', 'prod'] },
    { words: ['capi', 'describe', '-o', 'json', 'd'], gives: ['dev'] },
    { words: ['capi', 'delete', ''], gives: ['dev', 'prod'] },
    { words: ['capi', 'destroy', ''], gives: ['petra-mgmt'] },
    { words: ['capi', 'describe', 'dev', ''], gives: [] },
    { words: ['capi', 'describe', '-f', 'x.yaml', ''], gives: [] },
    { words: ['capi', 'ops', ''], gives: ['create-dev-1'] },
    { words: ['capi', 'create', '-f', ''], gives: [':files'] },
    { words: ['capi', 'create', '--management', 'p'], gives: ['petra-mgmt'] },
    { words: ['capi', 'operations', '--cluster', 'pr'], gives: ['prod'] },
    { words: ['capi', 'list', '-o', 'j'], gives: ['json'] },
    { words: ['capi', 'list', '--output=j'], gives: ['--output=json'] },
    { words: ['capi', 'list', '--output', '=', 'j'], gives: ['json'] },
    { words: ['capi', 'list', '--output', '='], gives: ['table', 'wide', 'json', 'yaml', 'name'] },
    { words: ['capi', 'list', '--all', '--al'], gives: [] },
    { words: ['capi', 'list', '--li'], gives: ['--limit'] },
    { words: ['capi', 'list', '--profile', 'o'], gives: ['operations'] },
    { words: ['config', 'use-stack', 'P'], gives: ['Petra', 'PetraTest'] },
    { words: ['config', 'use-stack', '--pro'], gives: ['--profile'] },
    { words: ['config', ''], gives: ['use-stack', 'show', 'reset'] },
    { words: ['completion', ''], gives: ['bash', 'zsh', 'fish'] },
    { words: ['__comp'], gives: [] },
    { words: ['nonsense', ''], gives: [] },
  ])('of `petra $words` gives $gives', async ({ words, gives }) => {
    expect(await candidates(...words)).toEqual(gives);
  });

  it('starts nothing and fails at nothing without a Petra', async () => {
    expect(await petra(['__complete', '--', 'capi', 'describe', ''])).toEqual({
      code: 0,
      stdout: '',
      stderr: '',
    });
  });
});

function has(shell: Shell): boolean {
  return spawnSync(shell, ['--version']).status === 0;
}

describe('a real shell', () => {
  let api: StubApi;
  let bin: string;

  beforeAll(async () => {
    api = await new StubApi().open();
    api.clusters.set('workload-dev', stubCluster());
    api.scripts.set('create-workload-dev-1a2b3c4d-1', successScript());
    bin = temporaryFolder();
    symlinkSync(path.join(repository, 'bin', 'petra'), path.join(bin, 'petra'));
  });

  afterAll(() => api.close());

  const env = () => cleanEnv({ ...api.env, PATH: `${bin}:${process.env.PATH}` });

  /** What bash puts into COMPREPLY for a line with the cursor at its end, split as its line editor splits it. */
  async function bash(...words: string[]): Promise<string[]> {
    const script = path.join(bin, 'completion.bash');
    writeFileSync(script, completionScript('bash'));
    const list = words.map((word) => `'${word}'`).join(' ');
    const probe = `source ${script}; COMP_WORDS=(petra ${list}); COMP_CWORD=${words.length}; _petra; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const run = await new Running('bash', ['--norc', '-c', probe], { env: env() }).ended;
    expect(run.stderr).toBe('');
    return run.stdout.split('\n').filter((line) => line !== '');
  }

  it.runIf(has('bash'))('is bash: commands, cluster names, values and files are completed', async () => {
    expect(await bash('capi', 'cre')).toEqual(['create']);
    expect(await bash('capi', 'describe', 'work')).toEqual(['workload-dev']);
    expect(await bash('capi', 'list', '--output', '=', 'j')).toEqual(['json']);
    expect(await bash('capi', 'create', '-f', 'examples/w')).toEqual(['examples/workload-dev.yaml']);
  });

  it.for<Shell>(['bash', 'zsh', 'fish'])('accepts the script for %s', (shell, { skip }) => {
    if (!has(shell)) skip();
    const script = path.join(bin, `completion.${shell}`);
    writeFileSync(script, completionScript(shell));
    const check = spawnSync(shell, [shell === 'fish' ? '--no-execute' : '-n', script], { encoding: 'utf8' });
    expect(check).toMatchObject({ status: 0, stderr: '' });
  });
});
