import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { OperationRecord } from '../../core/fleet.ts';
import type { WorkflowInput, Workflows } from '../../core/ports.ts';

export interface Execution {
  readonly id: string;
  readonly verb: OperationRecord['verb'];
  readonly input: WorkflowInput;
}

/** What workflows under test need: executions that run until the test ends them. */
export interface WorkflowsUnderTest {
  readonly workflows: Workflows;
  /** A new operation, which nobody has started. */
  prepare(): Promise<Execution>;
  /** Lets the execution end, now or as soon as it has begun. */
  end(execution: Execution, how: 'succeeded' | 'failed'): Promise<void>;
  /** How often the execution came to where it waits for its end. */
  runs(execution: Execution): number;
  readonly close?: () => Promise<void>;
}

// What an execution does is seen with a delay.
const soon = { timeout: 20_000 };

/** What is true of state machines through the port. */
export function workflowsContract(technology: string, open: () => Promise<WorkflowsUnderTest>): void {
  describe(`workflows on ${technology}`, () => {
    let subject: WorkflowsUnderTest;
    beforeAll(async () => {
      subject = await open();
    });
    afterAll(async () => subject?.close?.());

    function state(execution: Execution) {
      return subject.workflows.state(execution);
    }

    it('know no execution that was not started', async () => {
      expect(await state(await subject.prepare())).toBe('absent');
    });

    it.each(['succeeded', 'failed'] as const)('run an execution until it has %s', async (how) => {
      const execution = await subject.prepare();
      await subject.workflows.start(execution);
      await expect.poll(() => state(execution), soon).toBe('running');
      await expect.poll(() => subject.runs(execution), soon).toBe(1);
      await subject.end(execution, how);
      await expect.poll(() => state(execution), soon).toBe(how);
    });

    it('start an execution once, however often they are asked', async () => {
      const execution = await subject.prepare();
      await Promise.all([1, 2, 3].map(() => subject.workflows.start(execution)));
      await expect.poll(() => subject.runs(execution), soon).toBe(1);
      await subject.workflows.start(execution);
      await subject.end(execution, 'succeeded');
      await expect.poll(() => state(execution), soon).toBe('succeeded');
      await subject.workflows.start(execution);
      expect(await state(execution)).toBe('succeeded');
      expect(subject.runs(execution)).toBe(1);
    });

    it('start no execution again that has failed', async () => {
      const execution = await subject.prepare();
      await subject.end(execution, 'failed');
      await subject.workflows.start(execution);
      await expect.poll(() => state(execution), soon).toBe('failed');
      await subject.workflows.start(execution);
      expect(await state(execution)).toBe('failed');
      expect(subject.runs(execution)).toBe(1);
    });

    it('tell executions apart by their ids', async () => {
      const [first, second] = [await subject.prepare(), await subject.prepare()];
      await subject.workflows.start(first);
      await subject.workflows.start(second);
      await subject.end(second, 'succeeded');
      await expect.poll(() => state(second), soon).toBe('succeeded');
      expect(await state(first)).toBe('running');
      await subject.end(first, 'succeeded');
      await expect.poll(() => state(first), soon).toBe('succeeded');
    });
  });
}
