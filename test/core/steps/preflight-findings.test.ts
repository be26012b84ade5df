import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { beginMaking } from '../../../core/begin-operation.ts';
import { PetraError } from '../../../core/errors.ts';
import {
  errorFinding,
  findingOf,
  isPassing,
  type PreflightFinding,
  warningFinding,
} from '../../../core/preflight/finding.ts';
import { settleFindings } from '../../../core/steps/preflight-findings.ts';
import { runStep, type StepOutput } from '../../../core/steps/run-step.ts';
import { managementSpec, type TestPorts, testPorts } from '../test-ports.ts';

let ports: TestPorts;
beforeEach(async () => {
  ports = await testPorts();
});
afterEach(() => ports.close());

/** Settles findings as the first state of an init that accepts these codes. */
async function settle(
  findings: readonly PreflightFinding[],
  accept: readonly string[] = [],
): Promise<StepOutput> {
  const options = accept.length === 0 ? {} : { accept };
  const { operation } = await beginMaking(ports, {
    verb: 'init',
    spec: managementSpec(),
    caller: 'arn:aws:iam::123456789012:user/ada',
    options,
  });
  if (!operation) throw new Error('nothing runs');
  const { id, verb, cluster, uid, fence } = operation;
  const step = {
    run: async (context: Parameters<typeof settleFindings>[0]) => settleFindings(context, findings),
  };
  return runStep(ports, 'Preflight', step, { operation: { id, verb, cluster, uid, fence } });
}

async function warnings(): Promise<readonly string[] | undefined> {
  return (await ports.operations.find('init-mgmt-00000001-1'))?.warnings;
}

async function told() {
  const { items } = await ports.ledger.list('mgmt', {});
  return items
    .filter(({ outcome }) => outcome === 'warned' || outcome === 'accepted')
    .map(({ outcome, code, message, caller, step }) => ({ outcome, code, message, caller, step }));
}

const quota = errorFinding('QuotaTooSmall', 'too few addresses');
const name = errorFinding('NameTaken', 'the name is taken', { evidence: ['ec2:vpc vpc-1'] });
const throttled = findingOf(new PetraError('Throttled', 'slow down'));
const old = warningFinding('VersionsUnsupported', 'CAPA v2.7.2 is end of life');
const caller = 'arn:aws:iam::123456789012:user/ada';

describe('findings of a preflight', () => {
  test('that stop nothing are kept with the operation and in the ledger, with who asked', async () => {
    expect(await settle([old])).toEqual({ message: '1 warning' });
    expect(await warnings()).toEqual(['CAPA v2.7.2 is end of life']);
    expect(await told()).toEqual([
      {
        outcome: 'warned',
        code: 'VersionsUnsupported',
        message: 'CAPA v2.7.2 is end of life',
        caller,
        step: 'Preflight',
      },
    ]);
  });

  test('are told once, however often the state runs', async () => {
    await settle([old, quota], ['QuotaTooSmall']);
    await settle([old, quota], ['QuotaTooSmall']);
    expect(await told()).toHaveLength(2);
    expect(await warnings()).toHaveLength(2);
  });

  test('that are none let the operation go on', async () => {
    expect(await settle([])).toEqual({ message: 'no warnings' });
    expect(await warnings()).toEqual([]);
  });

  test('that were accepted let it go on, and are told as such', async () => {
    expect(await settle([quota, old], ['QuotaTooSmall'])).toEqual({ message: '1 warning, 1 accepted' });
    expect(await warnings()).toEqual([
      'CAPA v2.7.2 is end of life',
      'QuotaTooSmall was accepted: too few addresses',
    ]);
    expect(await told()).toContainEqual({
      outcome: 'accepted',
      code: 'QuotaTooSmall',
      message: 'QuotaTooSmall was accepted: too few addresses',
      caller,
      step: 'Preflight',
    });
  });

  test('that were not accepted stop it, all in one error, and warnings are told all the same', async () => {
    await expect(settle([old, quota, throttled, name], ['CapaPermissionMissing'])).rejects.toMatchObject({
      code: 'QuotaTooSmall',
      message: 'too few addresses\nthe name is taken\nslow down',
      fix: expect.stringMatching(/--accept QuotaTooSmall\.\nChoose another/),
      evidence: ['ec2:vpc vpc-1'],
      details: { findings: [quota, name, throttled] },
    });
    expect(await warnings()).toEqual(['CAPA v2.7.2 is end of life']);
  });

  test('that cannot be accepted stop it even if a client says so', async () => {
    await expect(settle([name], ['NameTaken'])).rejects.toMatchObject({ code: 'NameTaken' });
  });

  test('that may pass by themselves end the run, which the state machine repeats', async () => {
    await expect(settle([old, throttled])).rejects.toMatchObject({ code: 'Throttled' });
    expect(await warnings()).toEqual([]);
  });
});

test.each(['init', 'create'])('what passes by itself is what Preflight of %s is repeated for', (verb) => {
  const { States } = JSON.parse(readFileSync(`state-machines/${verb}.asl.json`, 'utf8'));
  const [retry] = States.Preflight.Retry;
  for (const code of ['Throttled', 'AwsUnavailable', 'ReleaseUnreachable'] as const) {
    expect(isPassing({ code })).toBe(true);
    expect(retry.ErrorEquals).toContain(code);
  }
  expect(isPassing({ code: 'QuotaTooSmall' })).toBe(false);
});
