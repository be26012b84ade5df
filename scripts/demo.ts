// `npm run demo`: the life of a fleet in one minute, on this machine, by the six verbs as a user would type them.
// Everything happens in a state folder of its own, which is removed at the end.

import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { styleText } from 'node:util';
import { messageOf } from '../core/errors.ts';

const root = path.join(import.meta.dirname, '..');
const petra = path.join(root, 'bin', 'petra');
const folder = mkdtempSync(path.join(tmpdir(), 'petra-demo-'));
const kubeconfig = path.join(folder, 'workload-dev.kubeconfig');
const env: NodeJS.ProcessEnv = { ...process.env, PETRA_STATE: path.join(folder, 'state') };
delete env.PETRA_ENDPOINT;
const begun = Date.now();

function say(text: string): void {
  console.log(`\n${styleText('bold', text)}`);
}

/** Shows a command, and runs it as a process of its own that writes to this one's terminal or pipe. */
async function run(shown: string, command: string, args: string[]): Promise<void> {
  console.log(styleText('cyan', `$ ${shown}`));
  const child = spawn(command, args, { cwd: root, env, stdio: ['ignore', 'inherit', 'inherit'] });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  if (code !== 0) throw new Error(`"${shown}" ended with exit code ${code}`);
}

function capi(...args: string[]): Promise<void> {
  return run(`petra ${args.join(' ')}`, petra, args);
}

async function story(): Promise<void> {
  console.log(
    `Petra on one machine. AWS, Cluster API's controllers and the Kubernetes clusters are simulated, and time runs 60 times
as fast; the state machines, steps, data model, HTTP API, translation and CLI are the ones that run on AWS.`,
  );
  say('A management cluster: machines, cert-manager, Cluster API, the ClusterClass');
  await capi('capi', 'init', '-f', 'examples/management.yaml');
  say('A workload cluster');
  await capi('capi', 'create', '-f', 'examples/workload-dev.yaml');
  say('The fleet');
  await capi('capi', 'list');
  say('Its kubeconfig');
  console.log(
    styleText(
      'cyan',
      '$ petra capi cluster-kubeconfig -f examples/workload-dev.yaml > workload-dev.kubeconfig',
    ),
  );
  const printed = spawnSync(petra, ['capi', 'cluster-kubeconfig', '-f', 'examples/workload-dev.yaml'], {
    cwd: root,
    env,
  });
  if (printed.status !== 0) throw new Error(`cluster-kubeconfig failed: ${printed.stderr}`);
  writeFileSync(kubeconfig, printed.stdout, { mode: 0o600 });
  if (spawnSync('kubectl', ['version', '--client'], { stdio: 'ignore' }).status === 0) {
    await run('kubectl --kubeconfig workload-dev.kubeconfig get nodes', 'kubectl', [
      '--kubeconfig',
      kubeconfig,
      'get',
      'nodes',
    ]);
  } else {
    console.log(
      '(there is no kubectl on this machine; with one, `kubectl get nodes` would list the nodes now)',
    );
  }
  say('The workload cluster goes');
  await capi('capi', 'delete', '-f', 'examples/workload-dev.yaml', '--yes');
  say('And the management cluster');
  await capi('capi', 'destroy', '-f', 'examples/management.yaml', '--yes');
}

let failed = false;
try {
  await story();
} catch (error) {
  failed = true;
  console.error(`\n${styleText('red', 'The demo failed:')} ${messageOf(error)}`);
  spawnSync(petra, ['local', 'logs', '-n', '30'], { cwd: root, env, stdio: 'inherit' });
} finally {
  spawnSync(petra, ['local', 'down'], { cwd: root, env, stdio: 'inherit' });
  rmSync(folder, { recursive: true, force: true });
}
if (failed) process.exit(1);
console.log(`\nDone in ${Math.round((Date.now() - begun) / 1000)} s, and nothing is left behind.`);
