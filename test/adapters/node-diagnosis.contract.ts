import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Machines, NodeDiagnosis } from '../../core/ports.ts';

/** What an adapter that asks nodes needs under test. */
export interface NodeDiagnosisUnderTest {
  readonly diagnosis: NodeDiagnosis;
  readonly machines: Machines;
  readonly region: string;
  readonly instanceType: string;
  readonly close?: () => Promise<void>;
}

/** What is true of a report on nodes through the port. */
export function nodeDiagnosisContract(technology: string, open: () => Promise<NodeDiagnosisUnderTest>): void {
  describe(`a report on nodes by ${technology}`, () => {
    let subject: NodeDiagnosisUnderTest;
    beforeAll(async () => {
      subject = await open();
    });
    afterAll(async () => subject.close?.());

    async function launch(): Promise<string> {
      const { region, instanceType } = subject;
      const request = { cluster: 'contract', uid: randomUUID(), region, name: 'agent-0', instanceType };
      return (await subject.machines.launch({ ...request, role: 'agent', userData: '#cloud-config\n' })).id;
    }

    it('on none is empty', async () => {
      expect(await subject.diagnosis.report(subject.region, [])).toEqual([]);
    });

    it('says of a machine that cannot be asked that it is so, by its id', async () => {
      const id = 'i-0123456789abcdef0';
      const lines = await subject.diagnosis.report(subject.region, [id]);
      expect(lines).toHaveLength(1);
      expect(lines[0]).toContain(id);
    });

    it('names each machine, in single lines that are not too long', async () => {
      const ids = [await launch(), await launch(), 'i-0123456789abcdef0'];
      const lines = await subject.diagnosis.report(subject.region, ids);
      for (const id of ids) expect(lines.filter((line) => line.includes(id))).toHaveLength(1);
      for (const line of lines) expect(line).toMatch(/^.{1,320}$/);
    });
  });
}
