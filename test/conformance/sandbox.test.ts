import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, onTestFinished, test } from 'vitest';
import { whyNoSandbox as whyNoNamespaces } from '../node-boot/machine.ts';
import { describeMissing } from './sandbox.ts';

const sandbox = path.join(import.meta.dirname, 'sandbox.ts');

/** A script that enters the sandbox and then does what the body says. */
function start(body: string, env: NodeJS.ProcessEnv = process.env) {
  const folder = mkdtempSync(path.join(tmpdir(), 'petra-sandbox-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const script = path.join(folder, 'script.ts');
  writeFileSync(
    script,
    `import { spawn, execFileSync } from 'node:child_process';
     import { once } from 'node:events';
     import { connect } from 'node:net';
     import { addAddress, addAddresses, enterSandbox, removeAddress } from ${JSON.stringify(sandbox)};
     await enterSandbox();
     ${body}`,
  );
  const child = spawn(process.execPath, [script, 'an argument'], { env });
  return {
    child,
    stdout: text(child.stdout),
    stderr: text(child.stderr),
    exit: once(child, 'exit'),
    /** Ends when nobody holds the script's standard output any more. */
    everybodyGone: once(child, 'close'),
    firstOutput: once(child.stdout, 'data'),
  };
}

describe(`the sandbox${whyNoNamespaces}`, { skip: whyNoNamespaces !== '' }, () => {
  test('runs the script with its arguments, streams and exit code', async () => {
    const { child, stdout, exit } = start(`
      let said = '';
      for await (const chunk of process.stdin) said += chunk;
      console.log(process.argv[2] + ': ' + said);
      process.exitCode = 7;`);
    child.stdin.end('from outside');
    expect(await exit).toEqual([7, null]);
    expect(await stdout).toBe('an argument: from outside\n');
  });

  test('has the loopback, the bridge of Pods and the addresses that are added, and no way out', async () => {
    const { stdout, stderr, exit } = start(`
      await addAddress('10.250.0.1');
      await addAddress('10.250.0.1');
      await addAddress('10.250.0.2');
      await removeAddress('10.250.0.2');
      await removeAddress('10.250.0.2');
      console.log(execFileSync('ip', ['-o', '-4', 'address'], { encoding: 'utf8' }));
      console.log('routes:', execFileSync('ip', ['route'], { encoding: 'utf8' }));`);
    const [code] = await exit;
    expect(await stderr).toBe('');
    expect(code).toBe(0);
    const output = await stdout;
    expect([...output.matchAll(/inet (\S+)/g)].map(([, one]) => one)).toEqual([
      '127.0.0.1/8',
      '10.250.0.1/32',
      '10.42.0.1/24',
    ]);
    expect(output).toMatch(/routes: 10\.42\.0\.0\/24 dev petra-pods .*\n/);
    expect(output).not.toContain('default');
  });

  test('refuses whoever connects to a range of addresses where nobody listens', async () => {
    const { stdout, exit } = start(`
      await addAddresses('10.250.0.0/16');
      await addAddresses('10.250.0.0/16');
      const socket = connect({ host: '10.250.7.7', port: 6443 });
      const [error] = await once(socket, 'error');
      console.log(error.code);`);
    expect(await exit).toEqual([0, null]);
    expect(await stdout).toBe('ECONNREFUSED\n');
  });

  test.each(['SIGKILL', 'SIGTERM', 'SIGHUP'] as const)(
    'ends with all of its processes when the process outside gets %s',
    async (signal) => {
      const { child, firstOutput, everybodyGone } = start(`
        spawn('sleep', ['600'], { detached: true, stdio: ['ignore', 'inherit', 'inherit'] });
        console.log('started');
        setInterval(() => {}, 1000);`);
      await firstOutput;
      child.kill(signal);
      await everybodyGone;
    },
  );

  test('lets the script inside end in its own way on SIGTERM', async () => {
    const { child, firstOutput, exit } = start(`
      process.on('SIGTERM', () => process.exit(3));
      console.log('started');
      setInterval(() => {}, 1000);`);
    await firstOutput;
    child.kill('SIGTERM');
    expect(await exit).toEqual([3, null]);
  });

  test('takes processes with it that the script left behind', async () => {
    const { everybodyGone } = start(
      `spawn('sleep', ['600'], { detached: true, stdio: ['ignore', 'inherit', 'inherit'] }).unref();`,
    );
    expect(await everybodyGone).toEqual([0, null]);
  });
});

test('a machine that gives no namespaces is told what is missing', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'petra-sandbox-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  mkdirSync(path.join(folder, 'bin'));
  const refusing = path.join(folder, 'bin/unshare');
  writeFileSync(
    refusing,
    '#!/bin/sh\necho "unshare: unshare failed: Operation not permitted" >&2\nexit 1\n',
    {
      mode: 0o755,
    },
  );
  symlinkSync('/bin/sh', path.join(folder, 'bin/sh'));
  const { stderr, stdout, exit } = start(`console.log('inside')`, { PATH: path.join(folder, 'bin') });
  expect(await exit).toEqual([1, null]);
  expect(await stdout).toBe('');
  expect(await stderr).toContain(
    'no sandbox on this machine: unshare: unshare failed: Operation not permitted.',
  );
});

test.each([
  ['spawnSync unshare ENOENT', true, 'Install util-linux'],
  ['sandbox.sh: 9: ip: not found', false, 'Install iproute2'],
  ['Error: Unknown device type.', false, 'needs bridge and veth'],
  ['unshare: unshare failed: Operation not permitted', true, 'Run it as root'],
  ['unshare: unshare failed: Operation not permitted', false, 'SYS_ADMIN and NET_ADMIN'],
])('%s (ordinary user: %s) is answered with: %s', (written, isOrdinaryUser, fix) => {
  expect(describeMissing(written, isOrdinaryUser)).toContain(fix);
});
