// Tables of failures: what goes wrong in a state, what is recorded of it, and that the same command then comes to the
// end of a run that nothing disturbed.

import { beforeAll, describe, expect, test } from 'vitest';
import type { ErrorCode } from '../../core/errors.ts';
import type { OperationRecord, Phase } from '../../core/fleet.ts';
import { type FleetFingerprint, fleetFingerprint, quietFingerprint } from './fleet-fingerprint.ts';
import { type WholePetra, wholePetra } from './whole-petra.ts';

export interface FailureCase {
  readonly why: string;
  /** Where it is noticed. */
  readonly state: string;
  readonly code: ErrorCode;
  /** How Petra is opened. */
  readonly petra?: Parameters<typeof wholePetra>[0];
  /** Goes wrong after the preparation, before the verb begins. */
  readonly spoil?: (petra: WholePetra) => unknown;
  /** The command, where it is not the usual one. */
  readonly begin?: (petra: WholePetra) => Promise<OperationRecord>;
  readonly evidence?: RegExp;
  readonly message?: RegExp;
  /** Of the cluster afterwards; Failed unless said otherwise. */
  readonly phase?: Phase;
  /** What a person does about it, besides ending the fault. */
  readonly mend?: (petra: WholePetra) => unknown;
}

export interface FailingVerb {
  readonly verb: string;
  readonly cluster: string;
  /** Brings a fresh Petra to where the verb begins, without any fault. */
  readonly prepare: (petra: WholePetra) => Promise<unknown>;
  readonly begin: (petra: WholePetra) => Promise<OperationRecord>;
}

export function describeFailures(
  { verb, cluster, prepare, begin }: FailingVerb,
  cases: readonly FailureCase[],
): void {
  describe(`${verb} fails`, () => {
    let undisturbed: FleetFingerprint;

    beforeAll(async () => {
      const petra = await wholePetra();
      await prepare(petra);
      expect(await begin(petra)).toMatchObject({ status: 'Succeeded' });
      undisturbed = await quietFingerprint(petra);
      await petra.close();
    });

    test.each(cases.map((one) => [one.state, one.code, one.why, one] as const))(
      'in %s with %s when %s, and the same command resumes',
      async (_state, _code, _why, failure) => {
        const petra = await wholePetra(failure.petra);
        try {
          await prepare(petra);
          await failure.spoil?.(petra);
          const failed = await (failure.begin ?? begin)(petra);
          expectFailure(failed, failure);
          expect(await petra.ports.fleet.find(cluster)).toMatchObject({ phase: failure.phase ?? 'Failed' });
          expect(await petra.ports.fleet.find(cluster)).not.toHaveProperty('lock');
          await expectInLedger(petra, failed, failure);

          await petra.recover();
          await failure.mend?.(petra);
          expect(await begin(petra)).toMatchObject({ status: 'Succeeded', attempt: 2 });
          await expect.poll(() => fleetFingerprint(petra), { timeout: 5_000 }).toEqual(undisturbed);
        } finally {
          await petra.close();
        }
      },
    );
  });
}

function expectFailure(failed: OperationRecord, { state, code, evidence, message }: FailureCase): void {
  expect(failed).toMatchObject({
    status: 'Failed',
    failure: { code, step: state, fix: expect.stringMatching(/\w/) },
  });
  if (message) expect(failed.failure?.message).toMatch(message);
  if (evidence) expect(failed.failure?.evidence?.join('\n')).toMatch(evidence);
  expect(failed.steps.find(({ name }) => name === state)).toMatchObject({
    status: 'Failed',
    failure: { code },
  });
}

async function expectInLedger(
  { ports }: WholePetra,
  { id, cluster }: OperationRecord,
  { state, code }: FailureCase,
): Promise<void> {
  const { items } = await ports.ledger.list(cluster, {});
  const lines = items.filter(({ operationId, outcome }) => operationId === id && outcome === 'failed');
  expect(
    lines.find(({ step }) => step === state),
    'the line of the step',
  ).toMatchObject({ code });
  expect(
    lines.filter(({ step }) => step === undefined),
    'the line of the operation',
  ).toMatchObject([{ code, caller: 'local:tester' }]);
}
