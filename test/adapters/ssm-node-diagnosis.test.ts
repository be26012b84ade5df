import type { SSMClient } from '@aws-sdk/client-ssm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectEc2 } from '../../adapters/ec2-client.ts';
import { Ec2Machines } from '../../adapters/ec2-machines.ts';
import { connectSsm } from '../../adapters/ssm-client.ts';
import { SsmNodeDiagnosis } from '../../adapters/ssm-node-diagnosis.ts';
import { type Moto, startMoto } from '../moto/start-moto.ts';
import { makeNodeNetwork } from './moto-network.ts';
import { nodeDiagnosisContract } from './node-diagnosis.contract.ts';

const region = 'eu-central-1';
const lastPing = new Date('2026-11-25T20:00:00Z');

/** The answers of a stand-in for Systems Manager, by command; an Error is thrown, undefined goes on to the service. */
type Answers = (command: string, input: object) => object | Error | undefined;

function answering(answers: Answers, config: object = { region }): SSMClient {
  const client = connectSsm(config);
  client.middlewareStack.add(
    (next, context) => async (call) => {
      const answer = answers(context.commandName ?? '', call.input);
      if (answer === undefined) return next(call);
      if (answer instanceof Error) throw answer;
      return { output: { $metadata: {}, ...answer }, response: {} };
    },
    { step: 'initialize' },
  );
  return client;
}

function agents(ids: readonly string[], PingStatus = 'Online') {
  return {
    InstanceInformationList: ids.map((InstanceId) => ({
      InstanceId,
      PingStatus,
      LastPingDateTime: lastPing,
    })),
  };
}

function awsError(name: string): Error {
  return Object.assign(new Error('no'), { name, $metadata: { httpStatusCode: 400 } });
}

function reportBy(answers: Answers, ids: readonly string[], options = {}): Promise<readonly string[]> {
  const client = answering(answers);
  return new SsmNodeDiagnosis(() => client, options).report(region, ids);
}

let moto: Moto;
beforeAll(async () => {
  moto = await startMoto({ region });
});
afterAll(() => moto?.stop());

nodeDiagnosisContract('Systems Manager (moto)', async () => {
  const [ec2, ssm] = [connectEc2(moto.config), connectSsm(moto.config)];
  const settings = await makeNodeNetwork(moto, ec2, ['eu-central-1a']);
  // moto has no DescribeInstanceInformation.
  const online = answering((command, input) => {
    if (command !== 'DescribeInstanceInformationCommand') return undefined;
    // The input of this command.
    const { Filters } = input as { Filters: { Values: string[] }[] };
    return agents(Filters[0]?.Values.filter((id) => id !== 'i-0123456789abcdef0') ?? []);
  }, moto.config);
  return {
    diagnosis: new SsmNodeDiagnosis(() => online),
    machines: new Ec2Machines({ ec2: () => ec2, ssm: () => ssm }, { ...settings, images: {} }),
    region,
    instanceType: 'm5a.large',
  };
});

describe('a report on nodes', () => {
  it('has when the agent was last heard of, and what the node answers as soon as it does', async () => {
    let looks = 0;
    const lines = await reportBy(
      (command) => {
        if (command === 'DescribeInstanceInformationCommand') return agents(['i-1']);
        if (command === 'SendCommandCommand') return { Command: { CommandId: 'c-1' } };
        looks += 1;
        if (looks === 1) return awsError('InvocationDoesNotExist');
        if (looks === 2) return { Status: 'InProgress' };
        return {
          Status: 'Success',
          StandardOutputContent: 'Id=k3s.service\n\u001b[31mActiveState=failed\u001b[0m\n',
        };
      },
      ['i-1'],
    );
    expect(lines).toEqual([
      'i-1: its agent is Online, last heard of at 2026-11-25T20:00:00.000Z',
      '  Id=k3s.service',
      '  ActiveState=failed',
    ]);
  });

  it('asks only nodes whose agent is there', async () => {
    const asked: object[] = [];
    const lines = await reportBy(
      (command, input) => {
        if (command === 'DescribeInstanceInformationCommand') return agents(['i-1'], 'ConnectionLost');
        asked.push(input);
        return {};
      },
      ['i-1', 'i-2'],
    );
    expect(asked).toEqual([]);
    expect(lines).toEqual([
      'i-1: its agent is ConnectionLost, last heard of at 2026-11-25T20:00:00.000Z',
      'i-2: its agent was never heard of',
    ]);
  });

  it('asks fixed text of AWS-RunShellScript, of all nodes at once', async () => {
    const asked: object[] = [];
    await reportBy(
      (command, input) => {
        if (command === 'DescribeInstanceInformationCommand') return agents(['i-1', 'i-2']);
        if (command !== 'SendCommandCommand') return { Status: 'Success' };
        asked.push(input);
        return { Command: { CommandId: 'c-1' } };
      },
      ['i-1', 'i-2'],
    );
    expect(asked).toMatchObject([{ DocumentName: 'AWS-RunShellScript', InstanceIds: ['i-1', 'i-2'] }]);
  });

  it('says which node does not answer in time', async () => {
    const answers: Answers = (command) => {
      if (command === 'DescribeInstanceInformationCommand') return agents(['i-1']);
      return command === 'SendCommandCommand' ? { Command: { CommandId: 'c-1' } } : { Status: 'InProgress' };
    };
    const lines = await reportBy(answers, ['i-1'], { answerLimitMilliseconds: 1_000 });
    expect(lines[1]).toBe('  does not answer within 1 s');
  });

  it('says how the questions ended when they failed', async () => {
    const lines = await reportBy(
      (command) => {
        if (command === 'DescribeInstanceInformationCommand') return agents(['i-1']);
        if (command === 'SendCommandCommand') return { Command: { CommandId: 'c-1' } };
        return { Status: 'Failed', StatusDetails: 'ExecutionTimedOut', StandardErrorContent: 'killed' };
      },
      ['i-1'],
    );
    expect(lines.slice(1)).toEqual(['  the questions ended as ExecutionTimedOut', '  killed']);
  });

  it.each([
    ['DescribeInstanceInformationCommand', 'i-1: Systems Manager cannot be asked: AccessDeniedException: no'],
    ['SendCommandCommand', '  cannot be asked: AccessDeniedException: no'],
    ['GetCommandInvocationCommand', '  cannot be asked: AccessDeniedException: no'],
  ])('says that %s is refused instead of failing', async (refused, line) => {
    const lines = await reportBy(
      (command) => {
        if (command === refused) return awsError('AccessDeniedException');
        return command === 'DescribeInstanceInformationCommand'
          ? agents(['i-1'])
          : { Command: { CommandId: 'c-1' } };
      },
      ['i-1'],
    );
    expect(lines.at(-1)).toBe(line);
  });

  it('covers more nodes than one command takes', async () => {
    const ids = Array.from({ length: 120 }, (_, index) => `i-${index}`);
    const asked: number[] = [];
    const lines = await reportBy((command, input) => {
      // The input of this command.
      if (command === 'DescribeInstanceInformationCommand')
        return agents((input as { Filters: { Values: string[] }[] }).Filters[0]?.Values ?? []);
      if (command !== 'SendCommandCommand') return { Status: 'Success' };
      asked.push((input as { InstanceIds: string[] }).InstanceIds.length);
      return { Command: { CommandId: 'c-1' } };
    }, ids);
    expect(lines).toHaveLength(120);
    expect(asked.sort()).toEqual([20, 50, 50]);
  });
});
