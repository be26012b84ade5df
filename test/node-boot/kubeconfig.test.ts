import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { kubeconfigSecret, SandboxedMachine, sandboxTimeout, userDataOf, whyNoSandbox } from './machine.ts';

describe.skipIf(whyNoSandbox)(
  `the kubeconfig of the first server${whyNoSandbox}`,
  { timeout: sandboxTimeout },
  () => {
    test('is stored at the second try when the first is refused', () => {
      const machine = new SandboxedMachine('server-0');
      machine.refuse('put-secret-value', 1, 'InternalServiceError', 'try again');
      expect(machine.firstStart()).toMatchObject({ status: 0 });
      expect(machine.lines('/cloud/published')).toHaveLength(1);
    });

    test('that cannot be stored fails the start, with who refused what', () => {
      const machine = new SandboxedMachine('server-0');
      machine.refuse(
        'put-secret-value',
        1000,
        'AccessDeniedException',
        'no identity-based policy allows the action',
      );
      const { status, console } = machine.firstStart();
      expect(status).toBe(1);
      expect(console.at(-1)).toMatch(
        /^petra: failed: cannot write the secret petra\/\S+\/kubeconfig: .*AccessDeniedException.* policy allows the action$/,
      );
      expect(machine.lines('/cloud/calls').join('\n')).not.toContain('petra-kubeconfig.path');
    });

    test('is stored again when k3s has renewed its certificates, and only then', () => {
      const machine = new SandboxedMachine('server-0');
      machine.firstStart();
      expect(machine.lines('/cloud/calls')).toContain('systemctl enable --quiet --now petra-kubeconfig.path');

      machine.renewCertificates('Zmlyc3Q=');
      expect(machine.lines('/cloud/published')).toHaveLength(1);
      expect(machine.lines('/cloud/progress').at(-1)).toBe('is ready');

      expect(machine.renewCertificates('c2Vjb25k')).toMatchObject({ status: 0 });
      expect(machine.lines('/cloud/published')).toHaveLength(2);
      expect(parse(machine.read(`/cloud/secrets/${kubeconfigSecret}`))).toMatchObject({
        clusters: [{ cluster: { server: 'https://10.0.0.10:6443' } }],
        users: [{ user: { 'client-certificate-data': 'c2Vjb25k' } }],
      });
      expect(machine.lines('/cloud/progress').at(-1)).toBe('is ready, and has stored its kubeconfig again');
    });

    test('that was renewed while the node was down is stored when it is up again', () => {
      const machine = new SandboxedMachine('server-0');
      machine.firstStart();
      machine.write('/cloud/certificate', 'c2Vjb25k');
      expect(machine.reboot()).toMatchObject({ status: 0 });
      expect(machine.lines('/cloud/published')).toHaveLength(2);
    });

    test('is not stored while k3s is still writing it', () => {
      const machine = new SandboxedMachine('server-0');
      machine.firstStart();
      machine.write('/cloud/half-written', '');
      expect(machine.renewCertificates('c2Vjb25k').console.at(-1)).toMatch(/: k3s\.yaml is not complete$/);
      expect(machine.lines('/cloud/published')).toHaveLength(1);
      expect(machine.lines('/cloud/progress').at(-1)).toMatch(/^failed: cannot write the secret/);
    });
  },
);

test('systemd watches the file that k3s writes on the first server, and on no other node', () => {
  const unit = 'path: /etc/systemd/system/petra-kubeconfig.path';
  expect(userDataOf('server-0')).toContain(unit);
  expect(userDataOf('server-0')).toContain('PathChanged=/etc/rancher/k3s/k3s.yaml');
  for (const name of ['server-1', 'agent-0']) expect(userDataOf(name)).not.toContain(unit);
});
