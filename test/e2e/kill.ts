// The generated kill tests: the server kills itself at every state of a workflow, before and after the state's work, is
// started again, and must come to the same end as a run that nobody disturbed, with nothing made twice.

import { cp } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { OperationAnswer, Problem } from '../../core/api/contract.ts';
import type { Verb } from '../../core/fleet.ts';
import { plannedSteps } from '../../core/steps/step-titles.ts';
import { type Fingerprint, fingerprint } from './fingerprint.ts';
import { type Answer, killLeftovers, LocalPetra, temporaryFolder } from './local-petra.ts';

export interface KillCase {
  readonly verb: Verb;
  /** Steps that only a cascading destroy goes through are included. */
  readonly cascade?: boolean;
  /** Brings a fresh local Petra to where the verb begins. */
  readonly prepare: (petra: LocalPetra) => Promise<void>;
  readonly begin: (petra: LocalPetra) => Promise<Answer<OperationAnswer & Problem>>;
}

export function describeKills({ verb, cascade, prepare, begin }: KillCase): void {
  const states = plannedSteps(verb, cascade === undefined ? {} : { cascade }).map(({ name }) => name);
  const points = states.flatMap((state) => [`${state}:before`, `${state}:after`]);

  describe(`${verb}${cascade ? ' --cascade' : ''}, killed`, () => {
    let folder: string;
    let remove: () => Promise<void>;
    let undisturbed: Fingerprint;
    const prepared = () => path.join(folder, 'prepared');

    beforeAll(async () => {
      ({ folder, remove } = await temporaryFolder());
      const first = await LocalPetra.start(prepared());
      await prepare(first);
      await first.stop();

      const state = path.join(folder, 'undisturbed');
      await cp(prepared(), state, { recursive: true });
      const petra = await LocalPetra.start(state);
      expect(await petra.finish(begin(petra))).toMatchObject({ status: 'Succeeded' });
      await petra.stop();
      undisturbed = await fingerprint(state);
    }, 120_000);
    afterEach(killLeftovers);
    afterAll(() => remove());

    test.each(points)(
      'at %s, comes to the same end',
      async (point) => {
        const state = path.join(folder, point.replace(':', '-'));
        await cp(prepared(), state, { recursive: true });
        const doomed = await LocalPetra.start(state, { faults: [`crash:${verb}.${point}`] });
        // It may be dead before it has answered; then nobody knows the operation's id, and the same command finds it.
        const id = await begin(doomed).then(
          ({ body }) => body.operation?.id,
          () => undefined,
        );
        await doomed.crashed();

        const again = await LocalPetra.start(state);
        const { body } = await begin(again);
        const resumed = body.operation?.id;
        if (resumed === undefined) expect(body.outcome, 'it had already ended').toBe('unchanged');
        else if (id !== undefined) expect(resumed, 'the command attaches to what was begun').toBe(id);
        const ended = resumed ?? id;
        if (ended !== undefined) expect(await again.ended(ended)).toMatchObject({ status: 'Succeeded' });
        await again.stop();
        expect(await fingerprint(state)).toEqual(undisturbed);
      },
      120_000,
    );
  });
}
