// The commands that need no Petra: render, validate, schema.

import { describe, expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { petra } from './run-petra.ts';

const workload = 'examples/workload-dev.yaml';
const management = 'examples/management.yaml';

describe('render', () => {
  it('prints the objects of a workload spec as one YAML stream', async () => {
    const { code, stdout, stderr } = await petra(['capi', 'render', '-f', workload]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const kinds = parseAllDocuments(stdout).map((document) => document.toJS().kind);
    expect(kinds).toContain('ClusterClass');
    expect(kinds.at(-1)).toBe('Cluster');
  });

  it('prints the user data of a management node', async () => {
    const first = await petra(['capi', 'render', '-f', management, '--user-data']);
    expect(first.stdout).toContain('192.0.2.10');
    expect(first.stderr).toBe('ids and addresses in it are placeholders\n');
    const agent = await petra(['capi', 'render', '-f', management, '--user-data', 'agent-0']);
    expect(agent.stdout).not.toBe(first.stdout);
  });

  it('names the nodes there are when asked for another', async () => {
    const run = await petra(['capi', 'render', '-f', management, '--user-data', 'server-7']);
    expect(run.code).toBe(2);
    expect(run.stderr).toContain('fix: It has server-0, agent-0.');
    expect((await petra(['capi', 'render', '-f', workload, '--user-data'])).code).toBe(2);
  });
});

describe('validate', () => {
  it('accepts both examples', async () => {
    for (const [file, kind] of [
      [workload, 'workload'],
      [management, 'management'],
    ] as const) {
      const { code, stdout } = await petra(['validate', '-f', file]);
      expect({ code, stdout }).toMatchObject({
        code: 0,
        stdout: expect.stringContaining(`valid ${kind} cluster spec`),
      });
    }
  });

  it('lists every problem with its place', async () => {
    const stdin = 'apiVersion: petra.sh/v1alpha1\nkind: Cluster\nmetadata:\n  name: X\nspec:\n  nope: 1\n';
    const { code, stdout, stderr } = await petra(['validate', '-f', '-'], { stdin });
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^stdin:4:9 {2}metadata\.name/m);
    expect(stderr).toMatch(/^stdin:6:3 {2}spec\.nope/m);
    expect(stderr).toMatch(/^fix: /m);
  });

  it('gives up on a file without end, and on a pipe of one', async () => {
    for (const { file, stdin } of [{ file: '/dev/zero' }, { file: '-', stdin: ' '.repeat(2 ** 20 + 1) }]) {
      const run = await petra(['validate', '-f', file], stdin === undefined ? {} : { stdin });
      expect(run.code).toBe(2);
      expect(run.stderr).toContain('is larger than 1 MiB, which no cluster spec is [FileUnreadable]');
    }
  });

  it('prints the spec with its defaults as JSON or YAML', async () => {
    const json = await petra(['validate', '-f', workload, '-o', 'json']);
    const yaml = await petra(['validate', '-f', workload, '-o', 'yaml']);
    expect(JSON.parse(json.stdout).spec.deletionProtection).toBe(false);
    expect(parse(yaml.stdout)).toEqual(JSON.parse(json.stdout));
  });
});

describe('schema', () => {
  it('is a JSON Schema', async () => {
    const { stdout } = await petra(['schema']);
    expect(JSON.parse(stdout)).toMatchObject({ $schema: 'https://json-schema.org/draft/2020-12/schema' });
  });
});
