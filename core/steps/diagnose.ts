import type { Machine } from '../ports.ts';
import type { StepContext, StepInput } from './context.ts';
import type { StepOutput } from './run-step.ts';

/** Lines of a machine's console that go into an error. */
const consoleLines = 20;

/**
 * Asks machines whose Kubernetes did not come up what they know: their last word, their console, their agent. What
 * they say becomes evidence of the step that failed; the failure itself stays as it is. Safe to repeat.
 */
export async function diagnoseMachines(
  context: StepContext<'machines' | 'diagnosis'>,
  input: StepInput,
): Promise<StepOutput> {
  const { region, uid } = context.record;
  const failed = context.operation.steps.findLast(
    ({ status, failure }) =>
      status === 'Failed' && (input.error?.Error === undefined || failure?.code === input.error.Error),
  );
  const machines = await context.machines.list(region, uid);
  const consoles = await Promise.all(machines.map((machine) => consoleOf(context, machine)));
  const reports = await context.diagnosis.report(
    region,
    machines.filter(({ state }) => state === 'running').map(({ id }) => id),
  );
  const evidence = [...consoles.flat(), ...reports];
  if (failed?.failure) {
    const known = (failed.failure.evidence ?? []).filter((line) => !evidence.includes(line));
    await context.operations.recordStep(context.operation.id, {
      ...failed,
      failure: { ...failed.failure, evidence: [...known, ...evidence] },
    });
  }
  return { message: `${machines.length} machines asked` };
}

async function consoleOf(
  { machines, record }: StepContext<'machines'>,
  { id, name, state, progress }: Machine,
): Promise<string[]> {
  const lines = await machines.consoleOutput(record.region, id);
  const word = progress === undefined ? '' : `, last word: ${progress}`;
  return [
    `${name} (${id}) is ${state}${word}; the end of its console:`,
    ...lines.slice(-consoleLines).map((line) => `  ${line}`),
  ];
}
