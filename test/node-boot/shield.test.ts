// Whether pods reach the credentials of their instance, with the real rules, the kernel's own routing and a real request.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { parse } from 'yaml';
import { type CloudConfig, inNamespaces, sandboxTimeout, userDataOf, whyNoSandbox } from './machine.ts';

// cloud-init reads no more of it than this.
const config = parse(userDataOf('server-0')) as CloudConfig;
const contentOf = (end: string) => config.write_files.find((file) => file.path.endsWith(end))?.content ?? '';

describe.skipIf(whyNoSandbox)(
  `the shield of the instance's credentials${whyNoSandbox}`,
  { timeout: sandboxTimeout },
  () => {
    test('refuses pods, and neither the node itself nor what pods want elsewhere', () => {
      const folder = mkdtempSync(path.join(tmpdir(), 'petra-shield-'));
      onTestFinished(() => rmSync(folder, { recursive: true }));
      const shield = path.join(folder, 'shield');
      writeFileSync(shield, contentOf('/petra-shield-credentials'));
      const routing = path.join(import.meta.dirname, 'routing.sh');
      const { status, stdout, stderr } = inNamespaces(routing, shield, process.execPath);
      expect({ status, stderr }).toMatchObject({ status: 0 });
      expect(stdout.trim().split('\n')).toEqual([
        'before: node reached, pod reached, pod elsewhere reached',
        'after: node reached, pod refused, pod elsewhere reached',
        // Two rules, though it ran twice.
        '2',
      ]);
    });
  },
);

test('systemd-networkd is told to leave the rules alone, and is started anew to hear it', () => {
  expect(contentOf('/networkd.conf.d/90-petra.conf')).toBe(
    '[Network]\nManageForeignRoutes=no\nManageForeignRoutingPolicyRules=no\n',
  );
  expect(config.runcmd[0]).toEqual(['systemctl', 'try-restart', 'systemd-networkd.service']);
});

test('cilium denies pods the same addresses, and nothing else', () => {
  expect(parse(contentOf('/petra-instance-credentials.yaml'))).toMatchObject({
    kind: 'CiliumClusterwideNetworkPolicy',
    spec: {
      endpointSelector: {},
      enableDefaultDeny: { ingress: false, egress: false },
      egressDeny: [{ toCIDR: ['169.254.169.254/32', 'fd00:ec2::254/128'] }],
    },
  });
});
