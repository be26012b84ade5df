import { describe, expect, test } from 'vitest';
import { progressLength } from '../../core/management/node-script.ts';
import { SandboxedMachine, sandboxTimeout, whyNoSandbox } from './machine.ts';

describe.skipIf(whyNoSandbox)(
  `the progress in the tag of the instance${whyNoSandbox}`,
  { timeout: sandboxTimeout },
  () => {
    test('follows the start, word by word', () => {
      const machine = new SandboxedMachine('server-0');
      const { console } = machine.firstStart();
      expect(machine.lines('/cloud/progress')).toEqual([
        'starts',
        'has the join token',
        'has k3s v1.35.3+k3s1',
        'is hardened',
        'runs k3s',
        'has stored the kubeconfig',
        'is ready',
      ]);
      for (const word of machine.lines('/cloud/progress')) expect(console).toContain(`petra: ${word}`);
    });

    test.each([
      [
        'EC2 refuses it',
        (machine: SandboxedMachine) => machine.refuse('create-tags', 1000, 'RequestLimitExceeded', 'slow'),
      ],
      [
        'there is no metadata service',
        (machine: SandboxedMachine) => machine.write('/cloud/no-metadata', ''),
      ],
    ])('stops no start when %s', (_, spoil) => {
      const machine = new SandboxedMachine('agent-0');
      spoil(machine);
      const { status, console } = machine.firstStart();
      expect(status).toBe(0);
      expect(console.at(-1)).toBe('petra: is ready');
      expect(machine.has('/cloud/progress')).toBe(false);
    });

    test('is cut to what a tag can hold, and to characters that need no quotes', () => {
      const machine = new SandboxedMachine('agent-0');
      const long = `User: "arn:aws:sts::111122223333:assumed-role/${'x'.repeat(300)}" is not authorized`;
      machine.refuse('get-secret-value', 1000, 'AccessDeniedException', long);
      machine.firstStart();
      const word = machine.lines('/cloud/progress').at(-1) ?? '';
      expect(word).toHaveLength(progressLength);
      expect(word).toMatch(
        /^failed: cannot read the secret .* User: {2}arn:aws:sts::111122223333:assumed-role\/x+$/,
      );
    });
  },
);
