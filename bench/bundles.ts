// Size and start of each function of Lambda: medians over fresh processes, taken in turns, so that a busy moment of the
// machine hits all of them.
//
//   node bench/bundles.ts [RUNS] [FUNCTION…]
//
// A start has two parts. The SDK is in Lambda's runtime and not in the bundle; importing its packages is measured by
// itself, before the bundle. Then the bundle: its own code, Node's modules that it needs, and making its clients. On
// Lambda both are slower, by as much as a function's share of a processor is smaller than this machine's. Where others
// keep the machine busy, the time of a processor says more than that of the clock.

import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Bundle, bundleLambdas, functionNames } from '../scripts/build-lambdas.ts';
import type { FunctionActions } from '../scripts/function-calls.ts';

const root = path.resolve(import.meta.dirname, '..');
const budget = { kilobytes: 150, milliseconds: 60 };

const [runs = '5', ...chosen] = process.argv.slice(2);
const bundles = await bundleLambdas(chosen.length > 0 ? chosen : await functionNames());
const functions: Record<string, FunctionActions> = JSON.parse(
  readFileSync(path.join(root, 'cdk/function-actions.json'), 'utf8'),
);

/** Prints how long the bundle took after its packages, by the clock, and both by the time of a processor. */
const starter = `
  const [bundle, ...packages] = process.argv.slice(1);
  const milliseconds = ({ user, system }) => (user + system) / 1000;
  const before = process.cpuUsage();
  for (const name of packages) await import(name);
  const sdk = milliseconds(process.cpuUsage(before));
  // What is left of the packages' text is not to be collected while the bundle is measured.
  globalThis.gc();
  const middle = process.cpuUsage();
  const begin = performance.now();
  await import(bundle);
  const clock = performance.now() - begin;
  console.log(JSON.stringify({ sdk, clock, processor: milliseconds(process.cpuUsage(middle)) }));
`;

interface Times {
  readonly sdk: number;
  readonly clock: number;
  readonly processor: number;
}

const folder = mkdtempSync(path.join(tmpdir(), 'petra-bundles-'));
symlinkSync(path.join(root, 'node_modules'), path.join(folder, 'node_modules'));

function start({ name, imports }: Bundle): Times {
  const variables = functions[name]?.variables ?? [];
  const values: Record<string, string> = { PETRA_MODE: 'aws', NODE_PUBLIC_ADDRESSES: 'true' };
  const output = execFileSync(
    process.execPath,
    [
      '--expose-gc',
      '--input-type=module',
      '--eval',
      starter,
      path.join(folder, name, 'index.mjs'),
      ...new Set(imports.filter((one) => one.startsWith('@'))),
    ],
    {
      cwd: folder,
      encoding: 'utf8',
      env: {
        AWS_REGION: 'us-east-1',
        ...Object.fromEntries(variables.map((one) => [one, values[one] ?? 'value'])),
      },
    },
  );
  return JSON.parse(output);
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

/** What takes the most room in a bundle: packages by name, Petra by folder. */
function largestParts({ inputs }: Bundle): string {
  const parts = new Map<string, number>();
  for (const [file, bytes] of Object.entries(inputs)) {
    const name = /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file)?.[1] ?? path.dirname(file);
    parts.set(name, (parts.get(name) ?? 0) + bytes);
  }
  return [...parts]
    .toSorted(([, a], [, b]) => b - a)
    .slice(0, 4)
    .map(([name, bytes]) => `${name} ${Math.round(bytes / 1024)} KB`)
    .join(', ');
}

try {
  for (const { name, code } of bundles) {
    mkdirSync(path.join(folder, name), { recursive: true });
    writeFileSync(path.join(folder, name, 'index.mjs'), code);
  }
  const times = new Map<string, Times[]>();
  for (let run = 0; run < Number(runs); run += 1) {
    for (const bundle of bundles) times.set(bundle.name, [...(times.get(bundle.name) ?? []), start(bundle)]);
  }
  console.log('| function | KB | import, ms | by processor, ms | the SDK besides, by processor, ms |');
  console.log('|---|---:|---:|---:|---:|');
  const missed: string[] = [];
  for (const bundle of bundles.toSorted((a, b) => a.name.localeCompare(b.name))) {
    const kilobytes = Buffer.byteLength(bundle.code) / 1024;
    const all = times.get(bundle.name) ?? [];
    const clock = median(all.map((one) => one.clock));
    const processor = median(all.map((one) => one.processor));
    const sdk = median(all.map((one) => one.sdk));
    const numbers = [kilobytes, clock, processor, sdk].map((number) => number.toFixed(0));
    console.log(`| ${bundle.name} | ${numbers.join(' | ')} |`);
    // The clock counts what others did meanwhile; threads of Node beside the main one count twice by processor.
    const milliseconds = Math.min(clock, processor);
    const isOver = kilobytes > budget.kilobytes || milliseconds > budget.milliseconds;
    if (isOver)
      missed.push(
        `- ${bundle.name}, ${numbers[0]} KB and ${milliseconds.toFixed(0)} ms: ${largestParts(bundle)}`,
      );
  }
  console.log(
    missed.length === 0
      ? `\nAll are within ${budget.kilobytes} KB and ${budget.milliseconds} ms.`
      : `\nOver ${budget.kilobytes} KB or ${budget.milliseconds} ms, and what is in them:\n${missed.join('\n')}`,
  );
} finally {
  rmSync(folder, { recursive: true });
}
