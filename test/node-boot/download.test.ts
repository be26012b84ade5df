import { describe, expect, test } from 'vitest';
import { SandboxedMachine, sandboxTimeout, whyNoSandbox } from './machine.ts';

const faults = [
  ['missing', /curl: \(22\) .*404/],
  ['altered', /sha256sum: WARNING: 1 computed checksum did NOT match/],
  ['cut', /curl: \(18\)/],
] as const;

describe.skipIf(whyNoSandbox)(`the download of k3s${whyNoSandbox}`, { timeout: sandboxTimeout }, () => {
  test.each(faults)('is tried again when it is %s', (fault) => {
    const machine = new SandboxedMachine('agent-0');
    machine.spoilDownloads(fault, 3);
    expect(machine.firstStart()).toMatchObject({ status: 0 });
    expect(machine.lines('/cloud/calls').filter((call) => call === 'sleep 15')).toHaveLength(3);
  });

  test.each(faults)(
    'that stays %s fails with a clear last word, and succeeds once it is mended',
    (fault, complaint) => {
      const machine = new SandboxedMachine('agent-0');
      machine.spoilDownloads(fault, 10);
      const { status, console } = machine.firstStart();
      expect(status).toBe(1);
      const failure = machine.lines('/cloud/progress').at(-1);
      expect(failure).toMatch(/^failed: cannot download k3s v1\.35\.3\+k3s1: /);
      expect(console.at(-1)).toMatch(complaint);
      expect(machine.has('/usr/local/bin/k3s')).toBe(false);
      expect(machine.lines('/cloud/calls').join('\n')).not.toContain('k3s.service');

      machine.remove('/cloud/progress');
      expect(machine.startAgain()).toMatchObject({ status: 0 });
      const words = machine.lines('/cloud/progress');
      expect(words[0]).toMatch(/^starts \(the start before failed: cannot download k3s/);
      expect(words.at(-1)).toBe('is ready');
      expect(machine.has('/run/petra-node.failure')).toBe(false);
    },
  );

  test('is refused when the checksums do not name it', () => {
    const machine = new SandboxedMachine('agent-0');
    machine.write('/cloud/unnamed', '');
    expect(machine.firstStart().console.at(-1)).toMatch(
      /^petra: failed: cannot download k3s \S+: sha256sum-(amd64|arm64)\.txt has no k3s(-arm64)?$/,
    );
  });
});
