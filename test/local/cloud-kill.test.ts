import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { openPrivateDisk } from '../../local/cloud/private-disk.ts';
import { cloudOf } from './cloud-fixture.ts';

const script = fileURLToPath(new URL('cloud-process.ts', import.meta.url));

/** Runs the process until its launches are done and then for so long, and kills it with SIGKILL. */
async function runAndKill(folder: string, milliseconds: number): Promise<void> {
  const child = spawn(process.execPath, [script, folder], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'exit');
  await Promise.race([once(child.stdout, 'data'), ended]);
  await sleep(milliseconds);
  child.kill('SIGKILL');
  await ended;
}

describe('a simulated cloud that is killed', () => {
  it('goes on where it was until all is booted, with nothing made twice', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'petra-kill-'));
    const nodes = (): string[] => {
      const file = join(folder, 'kubernetes.json');
      return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : [];
    };
    // Each life is shorter than a boot, which takes 400 ms at this pace.
    for (let life = 0; nodes().length < 2 && life < 20; life++)
      await runAndKill(folder, 20 + 30 * (life % 3));

    const disk = await openPrivateDisk(join(folder, 'disk'));
    const cloud = cloudOf({ disk });
    const machines = await cloud.machines.list('us-west-1', 'uid-1');
    const interfaces = await cloud.networks.listInterfaces('us-west-1', 'uid-1');
    await disk.close();
    const registered = nodes();
    await rm(folder, { recursive: true });

    expect(machines.map(({ name }) => name).sort()).toEqual(['agent-0', 'server-0']);
    expect(interfaces).toHaveLength(1);
    const registrations = machines.map(({ name, id }) => {
      const zone = name === 'server-0' ? 'us-west-1a' : 'us-west-1c';
      return `uid-1 mgmt-${name} aws:///${zone}/${id}`;
    });
    expect(registered.sort()).toEqual(registrations.sort());
  });
});
