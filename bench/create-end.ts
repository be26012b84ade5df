// How long after a cluster is ready `petra capi create` returns.
//
//   node scripts/bootstrap.mjs bench/create-end.ts [CLUSTERS]
//
// Each cluster is ready at a moment that nobody knows, after its network was. The true state machine with its true waits
// goes on until it has noticed, and the command line's own loop until it has seen the end. What functions do on AWS is
// not run: each state, and each look of the command line, takes as long as given here instead.

import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ApiClient } from '../cli/api-client.ts';
import { followOperation } from '../cli/follow-operation.ts';
import type { Progress } from '../cli/progress.ts';
import type { OperationView } from '../core/api/contract.ts';
import { Pace } from '../local/pace.ts';
import { runWorkflow } from '../local/run-workflow.ts';
import { quantile } from './comparison.ts';

const clusters = Number(process.argv[2] ?? 200);
const goalSeconds = 5;

/** A function that is awake reads and writes its records, and asks Kubernetes; a request goes through API Gateway. */
const stateSeconds = 0.4;
const lookSeconds = 0.25;

const file = new URL('../state-machines/create.asl.json', import.meta.url);
const definition = JSON.parse(await readFile(file, 'utf8'));

const silent: Progress = { update: () => {}, notice: () => {}, stop: () => {} };

/** Seconds from the cluster's being ready to the command's end. */
async function delay(): Promise<number> {
  const begun = performance.now();
  const provisionedAt = begun + 12_000 + Math.random() * 10_000;
  const readyAt = provisionedAt + 8_000 + Math.random() * 10_000;
  const operation = {
    id: 'create-dev-1',
    status: 'Running',
    steps: [] as { name: string; status: string }[],
  };
  const task = async (name: string) => {
    const step = { name, status: 'Running' };
    operation.steps = [...operation.steps.filter((one) => one.name !== name), step];
    await sleep((stateSeconds * 1000) / 2);
    const now = performance.now();
    const answer = { ready: now >= readyAt, provisioned: now >= provisionedAt, deadline: '' };
    await sleep((stateSeconds * 1000) / 2);
    if (name !== 'CheckCluster' || answer.ready) step.status = 'Succeeded';
    if (name === 'RecordReady') operation.status = 'Succeeded';
    return answer;
  };
  const api = {
    isStartedByCommands: false,
    operation: async () => {
      await sleep((lookSeconds * 1000) / 2);
      const seen = structuredClone(operation);
      await sleep((lookSeconds * 1000) / 2);
      return seen;
    },
  };
  const signal = new AbortController().signal;
  const workflow = runWorkflow(definition, { operation: {} }, { task, pace: new Pace(1), signal });
  // Only what following an operation needs of either.
  const view = structuredClone(operation) as unknown as OperationView;
  await followOperation(api as unknown as ApiClient, view, silent);
  const ended = performance.now();
  await workflow;
  return (ended - readyAt) / 1000;
}

const delays = await Promise.all(Array.from({ length: clusters }, delay));
const [median, p95, longest] = [0.5, 0.95, 1].map((part) => quantile(delays, part).toFixed(2));
console.log(`| clusters | median s | p95 | longest | goal |\n|---:|---:|---:|---:|---:|`);
console.log(`| ${clusters} | ${median} | ${p95} | ${longest} | p95 ≤ ${goalSeconds} |`);
process.exitCode = quantile(delays, 0.95) <= goalSeconds ? 0 : 1;
