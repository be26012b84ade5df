// What can be said about user data without running it.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { parse } from 'yaml';
import {
  canReadCloudInitSchema,
  cloudConfigProblems,
  readCloudInitSchema,
} from '../../scripts/cloud-init-schema.ts';
import { pythonTool } from '../../scripts/python-tools.ts';
import { type CloudConfig, userDataOf } from './machine.ts';

const names = ['server-0', 'server-1', 'agent-0'];
const isCi = process.env.CI === 'true';

/** Whether a machine is without a program; CI may not be. */
function isMissing(program: string): boolean {
  return !isCi && spawnSync(program, ['-c', 'true']).error !== undefined;
}

function configOf(name: string): CloudConfig {
  // cloud-init reads no more of it than this.
  return parse(userDataOf(name)) as CloudConfig;
}

/** The user data's shell scripts, written to a folder that is gone when the test ends. */
function scriptsOf(name: string): readonly string[] {
  const folder = scratchFolder();
  const scripts = configOf(name).write_files.filter(
    ({ path: file, content }) => content.startsWith('#!/bin/sh\n') || file.endsWith('.sh'),
  );
  return scripts.map(({ path: file, content }) => {
    const script = path.join(folder, path.basename(file));
    writeFileSync(script, content);
    return script;
  });
}

function scratchFolder(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'petra-scripts-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}

function run(program: string, ...args: readonly string[]): string {
  const { status, stdout, stderr, error } = spawnSync(program, args, { encoding: 'utf8' });
  return status === 0 ? stdout : `${program} failed: ${error?.message ?? ''}${stdout}${stderr}`;
}

describe.each(names)('the user data of %s', (name) => {
  test('has three scripts', () => {
    expect(
      scriptsOf(name)
        .map((file) => path.basename(file))
        .sort(),
    ).toEqual(['harden.sh', 'petra-node', 'petra-shield-credentials']);
  });

  test.for(['sh', 'bash', 'dash'])('can be read by %s', (shell, context) => {
    context.skip(isMissing(shell), `${shell} is not here`);
    for (const script of scriptsOf(name)) expect(run(shell, '-n', script)).toBe('');
  });

  test('passes shellcheck', { timeout: 120_000 }, async () => {
    const shellcheck = path.join(await pythonTool('shellcheck'), 'shellcheck');
    // The environment that the script reads is not there when it is checked.
    expect(run(shellcheck, '--shell=sh', '--exclude=SC1091', ...scriptsOf(name))).toBe('');
  });

  test('is a #cloud-config that cloud-init understands', { timeout: 120_000 }, async (context) => {
    context.skip(!isCi && !(await canReadCloudInitSchema()), "cloud-init's schema comes with Debian's apt");
    expect(cloudConfigProblems(await readCloudInitSchema(), userDataOf(name))).toEqual([]);
  });

  test('has units that systemd understands', (context) => {
    context.skip(isMissing('systemd-analyze'), 'systemd is not here');
    const folder = scratchFolder();
    const units = configOf(name).write_files.filter(({ path: file }) =>
      file.startsWith('/etc/systemd/system/'),
    );
    for (const { path: file, content } of units) {
      // Programs of the node are not on this machine.
      const runnable = content
        .replaceAll(/^(Exec\w+=)\S+/gm, '$1/bin/true')
        .replace(/^EnvironmentFile=.*\n/m, '');
      writeFileSync(path.join(folder, path.basename(file)), runnable);
    }
    const paths = readdirSync(folder).map((file) => path.join(folder, file));
    expect(run('systemd-analyze', 'verify', '--man=no', ...paths)).toBe('');
  });
});

test('stand-ins and scripts of the sandbox pass shellcheck', { timeout: 120_000 }, async () => {
  const shellcheck = path.join(await pythonTool('shellcheck'), 'shellcheck');
  const here = import.meta.dirname;
  const standIns = readdirSync(path.join(here, 'stand-ins')).map((name) =>
    path.join(here, 'stand-ins', name),
  );
  const scripts = readdirSync(here).filter((name) => name.endsWith('.sh'));
  expect(run(shellcheck, ...standIns, ...scripts.map((name) => path.join(here, name)))).toBe('');
});

test.each([
  ['no cloud-config', '', ['it does not start with #cloud-config']],
  ['a key that nothing reads', 'run_cmd: []\n', ['/run_cmd is not known to cloud-init']],
  ['a file without a path', 'write_files: [{content: a}]\n', [expect.stringContaining("property 'path'")]],
])('cloud-init complains of %s', async (_, yaml, problems) => {
  const schema = {
    allOf: [{ $ref: '#/$defs/cc_write_files' }],
    $defs: {
      cc_write_files: {
        properties: { write_files: { type: 'array', items: { type: 'object', required: ['path'] } } },
      },
    },
  };
  expect(cloudConfigProblems(schema, yaml && `#cloud-config\n${yaml}`)).toEqual(problems);
});
