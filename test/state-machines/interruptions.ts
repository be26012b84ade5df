// The generated interruption tests: the workflows end at every state of a verb, before its work and after it, are
// opened again each time, and must come to the same end as a run that nobody disturbed, with nothing made twice.

import { beforeAll, describe, expect, test } from 'vitest';
import type { Begun } from '../../core/begin-operation.ts';
import type { Verb } from '../../core/fleet.ts';
import { plannedSteps } from '../../core/steps/step-titles.ts';
import { type FleetFingerprint, fleetFingerprint, quietFingerprint } from './fleet-fingerprint.ts';
import { type WholePetra, wholePetra } from './whole-petra.ts';

export interface InterruptionCase {
  readonly verb: Verb;
  /** Goes through the steps of a cascading destroy too. */
  readonly cascade?: boolean;
  /** Brings a fresh Petra to where the verb begins. */
  readonly prepare: (petra: WholePetra) => Promise<unknown>;
  readonly begin: (petra: WholePetra) => Promise<Begun>;
}

export function describeInterruptions({ verb, cascade, prepare, begin }: InterruptionCase): void {
  const states = plannedSteps(verb, cascade === undefined ? {} : { cascade }).map(({ name }) => name);

  describe(`${verb}${cascade ? ' --cascade' : ''}, ended`, () => {
    let undisturbed: FleetFingerprint;

    beforeAll(async () => {
      const petra = await wholePetra();
      await prepare(petra);
      expect(await petra.ended(await begin(petra))).toMatchObject({ status: 'Succeeded' });
      undisturbed = await quietFingerprint(petra);
      await petra.close();
    });

    test.each(states)('before %s, and again after it, goes on and comes to the same end', async (state) => {
      const petra = await wholePetra();
      try {
        await prepare(petra);
        const before = petra.workflows.interruptAt(`${verb}.${state}`, 'before');
        const begun = await begin(petra);
        await before;
        const after = petra.workflows.interruptAt(`${verb}.${state}`, 'after');
        await petra.workflows.restart();
        await after;
        await petra.workflows.restart();
        expect(await petra.ended(begun)).toMatchObject({ status: 'Succeeded', attempt: 1 });
        await expect.poll(() => fleetFingerprint(petra), { timeout: 5_000 }).toEqual(undisturbed);
      } finally {
        await petra.close();
      }
    });
  });
}
