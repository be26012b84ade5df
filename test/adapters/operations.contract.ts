import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Failure, OperationRecord, StepRecord } from '../../core/fleet.ts';
import type { Operations } from '../../core/ports.ts';
import { at, freshName, operationRecord, outcome, outcomes } from './fleet-records.ts';

export interface OperationsUnderTest {
  readonly operations: Operations;
  close(): Promise<void>;
}

const failure: Failure = {
  code: 'BootTimedOut',
  message: 'server-0 did not answer within 600 s',
  fix: 'Read the console output.',
  retryable: true,
  source: 'aws',
  step: 'CheckApi',
  evidence: ['first line', '', 'last line'],
  causes: ['connect ECONNREFUSED'],
};

/** What every Operations does. */
export function operationsContract(open: () => Promise<OperationsUnderTest>): void {
  describe('operations', () => {
    let underTest: OperationsUnderTest;
    let operations: Operations;
    beforeAll(async () => {
      underTest = await open();
      operations = underTest.operations;
    });
    afterAll(() => underTest.close());

    const added = async (change: Partial<OperationRecord> = {}) => {
      const record = operationRecord(change);
      await operations.add(record);
      return record;
    };
    const step = (name: string, change: Partial<StepRecord> = {}): StepRecord => ({
      name,
      status: 'Succeeded',
      startedAt: at(1),
      runs: 1,
      ...change,
    });
    const everyId = async (query: { readonly cluster?: string; readonly limit?: number }) => {
      const ids: string[] = [];
      let cursor: string | undefined;
      do {
        const page = await operations.list({ ...query, ...(cursor !== undefined && { cursor }) });
        ids.push(...page.items.map(({ id }) => id));
        cursor = page.cursor;
      } while (cursor !== undefined);
      return ids;
    };

    it('an operation comes back as it was added', async () => {
      const record = await added({
        options: { cascade: true },
        steps: [step('Preflight'), step('LaunchInstance', { failure })],
        warnings: ['a synthetic repository is used'],
        failure,
      });
      expect(await operations.find(record.id)).toEqual(record);
    });

    it('a residue report is kept, and the last one counts', async () => {
      const { id } = await added();
      const report = (found: string[]) => [{ type: 'EC2 instances', searched: 'tag petra.sh/uid', found }];
      await operations.keepResidue(id, report(['i-1']));
      await operations.keepResidue(id, report([]));
      expect((await operations.find(id))?.residue).toEqual(report([]));
    });

    it('an id that was never added is not found', async () => {
      expect(await operations.find('create-nothing-0-1')).toBeUndefined();
    });

    it('an operation that is added again stays as it is', async () => {
      const record = await added();
      await operations.recordStep(record.id, step('Preflight'));
      await operations.add({ ...record, caller: 'local:other' });
      expect(await operations.find(record.id)).toEqual({ ...record, steps: [step('Preflight')] });
    });

    it('a step is replaced by what is known of it later', async () => {
      const { id } = await added();
      await operations.recordStep(id, step('CheckApi', { status: 'Running', message: 'waits for the API' }));
      await operations.recordStep(id, step('CheckApi', { runs: 7, endedAt: at(9) }));
      expect((await operations.find(id))?.steps).toEqual([step('CheckApi', { runs: 7, endedAt: at(9) })]);
    });

    it('steps are in the order in which they started, those of one instant in the order of recording', async () => {
      const { id } = await added();
      for (const name of ['Reserve', 'Await', 'Preflight', 'Launch'])
        await operations.recordStep(id, step(name));
      await operations.recordStep(id, step('Earliest', { startedAt: at(0) }));
      await operations.recordStep(id, step('Await', { runs: 2 }));
      const names = (await operations.find(id))?.steps.map(({ name }) => name);
      expect(names).toEqual(['Earliest', 'Reserve', 'Await', 'Preflight', 'Launch']);
    });

    it('a step may have any name', async () => {
      const { id } = await added();
      const names = ['InstanceReady?', 'name', 'a.b[0]', 'Wait for it', '#x', ':x', 'size', 'été'];
      for (const name of names) await operations.recordStep(id, step(name));
      expect((await operations.find(id))?.steps.map(({ name }) => name)).toEqual(names);
    });

    it('steps recorded at the same time are all kept', async () => {
      const { id } = await added();
      const names = Array.from({ length: 20 }, (_, number) => `Step${number}`);
      await Promise.all(names.map((name) => operations.recordStep(id, step(name))));
      expect((await operations.find(id))?.steps.map(({ name }) => name).sort()).toEqual(names.sort());
    });

    it('warnings are a set, whoever adds them', async () => {
      const { id } = await added({ warnings: ['b'] });
      await Promise.all([
        operations.warn(id, ['a', 'b']),
        operations.warn(id, ['c', 'a']),
        operations.warn(id, []),
      ]);
      await operations.warn(id, ['a']);
      expect((await operations.find(id))?.warnings).toEqual(['a', 'b', 'c']);
    });

    it('a running operation ends once, and what came with the end stays', async () => {
      const record = await added();
      const end = { status: 'Failed', endedAt: at(60), failure } as const;
      await operations.finish(record.id, end);
      await operations.finish(record.id, { status: 'Abandoned', endedAt: at(90) });
      expect(await operations.find(record.id)).toEqual({ ...record, ...end });
    });

    it('of 20 who end it at the same time, one is kept whole', async () => {
      const { id } = await added();
      const ends = Array.from({ length: 20 }, (_, number) => ({
        status: number % 2 ? ('Failed' as const) : ('Succeeded' as const),
        endedAt: at(number),
      }));
      expect(new Set(await outcomes(ends.map((end) => operations.finish(id, end))))).toEqual(
        new Set(['done']),
      );
      const found = await operations.find(id);
      expect(ends).toContainEqual({ status: found?.status, endedAt: found?.endedAt });
    });

    it('nothing can be written to an operation that was never added', async () => {
      const id = 'create-nothing-0-1';
      expect(await outcome(operations.recordStep(id, step('Preflight')))).toBe('OperationNotFound');
      expect(await outcome(operations.warn(id, ['a']))).toBe('OperationNotFound');
      expect(await outcome(operations.finish(id, { status: 'Failed', endedAt: at(1) }))).toBe(
        'OperationNotFound',
      );
      expect(await operations.find(id)).toBeUndefined();
    });

    it("a cluster's operations are listed newest first, page by page, each once", async () => {
      const cluster = freshName();
      const ids = Array.from({ length: 11 }, (_, number) => `create-${cluster}-${number}`);
      await Promise.all(
        ids.map((id, number) =>
          added({ id, cluster, startedAt: at((number * 4) % 11), uid: `uid-${number % 3}` }),
        ),
      );
      await added();
      const expected = ids.map((id, number) => ({ id, started: (number * 4) % 11 }));
      const newestFirst = expected.sort((a, b) => b.started - a.started).map(({ id }) => id);
      expect(await everyId({ cluster, limit: 3 })).toEqual(newestFirst);
      expect(await everyId({ cluster, limit: 11 })).toEqual(newestFirst);
      expect((await operations.list({ cluster, limit: 11 })).cursor).toBeUndefined();
    });

    it("the fleet's operations are listed newest first, with those of one instant each once", async () => {
      const records = await Promise.all(Array.from({ length: 7 }, () => added({ startedAt: at(1000) })));
      const newest = await added({ startedAt: at(1001) });
      const ids = await everyId({ limit: 2 });
      expect(ids[0]).toBe(newest.id);
      expect(ids.slice(1, 8).sort()).toEqual(records.map(({ id }) => id).sort());
      expect(new Set(ids).size).toBe(ids.length);
    });

    it('a list shows operations as they are now', async () => {
      const record = await added();
      await operations.recordStep(record.id, step('Preflight'));
      await operations.finish(record.id, { status: 'Succeeded', endedAt: at(9) });
      const { items } = await operations.list({ cluster: record.cluster });
      expect(items).toEqual([await operations.find(record.id)]);
      expect(items[0]?.steps).toHaveLength(1);
    });

    it('a cursor that Petra did not make is refused', async () => {
      for (const cursor of ['', 'x', 'bm90aGluZw', '../..']) {
        expect(await outcome(operations.list({ cursor }))).toBe('InvalidRequest');
      }
    });

    it('evidence of any length is kept, cut to its beginning and its end', async () => {
      const { id } = await added();
      const evidence = Array.from({ length: 20_000 }, (_, number) => `${number} ${'é'.repeat(5_000)}`);
      for (let number = 0; number < 3; number++) {
        await operations.recordStep(id, step(`Step${number}`, { failure: { ...failure, evidence } }));
      }
      await operations.finish(id, { status: 'Failed', endedAt: at(9), failure: { ...failure, evidence } });
      const kept = (await operations.find(id))?.failure?.evidence ?? [];
      expect(kept.length).toBeLessThanOrEqual(80);
      expect(kept[0]).toMatch(/^0 é+…$/);
      expect(kept.at(-1)).toMatch(/^19999 é+…$/);
      expect(kept).toContainEqual(expect.stringMatching(/^… \d+ left out …$/));
    });
  });
}
