import { expect, test } from 'vitest';
import { hardening, standardProfile } from '../../../core/capi/profile-standard.ts';

test.each(standardProfile)('$name does something, and says why', (setting) => {
  const { name, reason, ...measures } = setting;
  expect(name).toMatch(/^[a-z-]+$/);
  expect(reason).toMatch(/^.{30,}\.$/);
  expect(Object.keys(measures).length).toBeGreaterThan(0);
});

test('every setting has a name of its own', () => {
  const names = standardProfile.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
});

test.each(['server', 'agent'] as const)('no argument of a %s is given twice', (role) => {
  const { apiServerArgs, kubeletArgs } = hardening(standardProfile, role);
  for (const list of [apiServerArgs, kubeletArgs]) {
    const flags = list.map((argument) => argument.split('=')[0]);
    expect(new Set(flags).size).toBe(flags.length);
  }
});

test('the API server arguments that the k3s provider adds itself are left to it', () => {
  const { apiServerArgs } = hardening(standardProfile, 'server');
  expect(apiServerArgs.join('\n')).not.toMatch(/^(anonymous-auth|tls-cipher-suites)=/m);
});

test('every file that an argument or a command names is written first', () => {
  const { apiServerArgs, commands, files } = hardening(standardProfile, 'server');
  const named = [...apiServerArgs, ...commands].flatMap((text) => text.match(/\/etc\/\S+/g) ?? []);
  const written = files.map(({ path }) => path);
  expect(named.length).toBeGreaterThan(2);
  expect(written).toEqual(expect.arrayContaining(named));
});

test('agents get no configuration, files or commands of servers', () => {
  const agent = hardening(standardProfile, 'agent');
  expect(agent.apiServerArgs).toEqual([]);
  expect(agent.config).toEqual({ 'protect-kernel-defaults': true });
  expect(agent.files.every(({ path }) => path.startsWith('/etc/sysctl.d/'))).toBe(true);
  expect(agent.commands.join('\n')).not.toContain('/server/');
});

test('the audit log never holds the content of a Secret', () => {
  const policy = hardening(standardProfile, 'server').files.find(({ path }) => path.includes('audit-policy'));
  expect(policy?.content).not.toContain('RequestResponse');
  expect(policy?.content.match(/level: Request\n[\s\S]*?(?=- level)/)?.[0]).toContain(
    'rbac.authorization.k8s.io',
  );
});
