// How quickly the command line answers, next to kubectl: medians of interleaved runs, so that a busy moment of the
// machine hits all of them.
//
//   node bench/cli.ts [RUNS]
//
// Bundles the command line, starts a local Petra in a folder of its own, makes the two example clusters, and compares
//   petra --version                       with  kubectl version --client
//   petra capi list --local -o json       with  kubectl get clusters -A -o json  (the same objects, same machine)

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

const root = path.resolve(import.meta.dirname, '..');
const petra = path.join(root, 'bin', 'petra');
const runs = Number(process.argv[2] ?? 20);
const folder = mkdtempSync(path.join(tmpdir(), 'petra-bench-'));
const kubeconfig = path.join(folder, 'kubeconfig');
const env = {
  ...process.env,
  PETRA_ENDPOINT: '',
  PETRA_STATE: path.join(folder, 'state'),
  KUBECONFIG: kubeconfig,
};

interface Command {
  readonly name: string;
  readonly line: readonly [string, ...string[]];
}

/** A command against the one it is measured by. */
interface Comparison {
  readonly ours: Command;
  readonly theirs: Command;
  /** Ours may take this many times as long. */
  readonly goal: number;
}

const comparisons: readonly Comparison[] = [
  {
    ours: { name: 'petra --version', line: [petra, '--version'] },
    theirs: { name: 'kubectl version --client', line: ['kubectl', 'version', '--client'] },
    goal: 0.9,
  },
  {
    ours: {
      name: 'petra capi list --local -o json',
      line: [petra, 'capi', 'list', '--local', '-o', 'json'],
    },
    theirs: {
      name: 'kubectl get clusters -A -o json',
      line: ['kubectl', 'get', 'clusters.cluster.x-k8s.io', '-A', '-o', 'json'],
    },
    goal: 1,
  },
];

function run([command, ...args]: readonly [string, ...string[]]): string {
  const result = spawnSync(command, args, { cwd: root, env, encoding: 'utf8' });
  if (result.status !== 0) {
    throw new Error(`${command} ${args.join(' ')} ended with ${result.status}:\n${result.stderr}`);
  }
  return result.stdout;
}

function milliseconds(line: readonly [string, ...string[]]): number {
  const start = process.hrtime.bigint();
  run(line);
  return Number(process.hrtime.bigint() - start) / 1e6;
}

/** The value below which this part of the sorted values lies. */
function quantile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN;
}

function measure(): void {
  const times = new Map<Command, number[]>();
  const commands = comparisons.flatMap(({ ours, theirs }) => [ours, theirs]);
  // The first two rounds warm the caches of both: kubectl's of discovered APIs, the system's of files.
  for (let round = -2; round < runs; round++) {
    for (const command of commands) {
      const took = milliseconds(command.line);
      if (round >= 0) times.set(command, [...(times.get(command) ?? []), took]);
    }
  }
  console.log('| command | median ms | p10 | p90 | ratio | goal |');
  console.log('|---|---:|---:|---:|---:|---:|');
  for (const { ours, theirs, goal } of comparisons) {
    const median = (command: Command) => quantile(times.get(command) ?? [], 0.5);
    for (const command of [theirs, ours]) {
      const values = times.get(command) ?? [];
      const ratio = median(command) / median(theirs);
      const verdict = command === ours ? `${ratio.toFixed(2)} | ≤ ${goal.toFixed(1)}` : '1 | ';
      console.log(
        `| ${command.name} | ${median(command).toFixed(1)} | ${quantile(values, 0.1).toFixed(1)} | ${quantile(values, 0.9).toFixed(1)} | ${verdict} |`,
      );
    }
    if (median(ours) > goal * median(theirs)) process.exitCode = 1;
  }
}

try {
  run([process.execPath, path.join(root, 'scripts', 'build-cli.ts')]);
  run([petra, 'local', 'up', '--speed', '3600']);
  run([petra, 'capi', 'init', '-f', 'examples/management.yaml']);
  run([petra, 'capi', 'create', '-f', 'examples/workload-dev.yaml']);
  writeFileSync(kubeconfig, run([petra, 'capi', 'cluster-kubeconfig', 'petra-mgmt']), { mode: 0o600 });
  measure();
} finally {
  spawnSync(petra, ['local', 'reset', '--yes'], { env });
  rmSync(folder, { recursive: true, force: true });
}
