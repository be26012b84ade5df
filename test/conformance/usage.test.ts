import { spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { parseStat, programOf, UsageWatch } from './usage.ts';

describe('the usage of processes', () => {
  it.each([
    [['/usr/bin/python', '/petra/test/moto/moto-server.py'], 'moto'],
    [
      ['node', '--max-old-space-size=512', '/petra/test/virtual-account/function-process.ts', 'b.mjs'],
      'functions',
    ],
    [['node', '/petra/cli/main.ts', 'capi', 'list'], 'petra'],
    [['/cache/etcd-v3/etcd', '--name=default'], 'etcd'],
  ])('calls %j %s', (argv, program) => {
    expect(programOf(argv)).toBe(program);
  });

  it('reads the processor time of a process whose name has blanks and parentheses', () => {
    const fields = ['S', ...Array.from({ length: 30 }, (_, index) => String(index + 4))];
    fields[11] = '250';
    fields[12] = '150';
    fields[19] = '777';
    expect(parseStat(`12 (a (b) c) ${fields.join(' ')}`)).toEqual({ cpuSeconds: 4, start: '777' });
  });

  it('counts what is used while it watches', () => {
    const watch = new UsageWatch();
    const end = Date.now() + 150;
    while (Date.now() < end);
    watch.stop();
    const [own] = [...watch.byProgram()].filter(([program]) => program.startsWith('node'));
    expect(own?.[1].cpuSeconds).toBeGreaterThan(0.05);
    expect(own?.[1].peakBytes).toBeGreaterThan(10_000_000);
    expect(watch.peakBytes).toBeGreaterThanOrEqual(own?.[1].peakBytes ?? 0);
  });

  it('counts a process once that has ended and stays in the list', async () => {
    // sleep does not know of the child that the shell had, and so never asks for its end.
    const parent = spawn('sh', ['-c', 'true & exec sleep 60']);
    try {
      await sleep(100);
      const watch = new UsageWatch();
      watch.stop();
      expect([...watch.byProgram().keys()]).toContain('sleep');
      expect([...watch.byProgram().keys()]).not.toContain('');
    } finally {
      parent.kill();
    }
  });
});
