import { randomUUID } from 'node:crypto';
import type { EC2Client } from '@aws-sdk/client-ec2';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectEc2 } from '../../adapters/ec2-client.ts';
import { type Ec2MachineSettings, launchToken } from '../../adapters/ec2-launch.ts';
import { Ec2Machines } from '../../adapters/ec2-machines.ts';
import { connectSsm } from '../../adapters/ssm-client.ts';
import type { MachineRequest } from '../../core/ports.ts';
import { type Moto, startMoto } from '../moto/start-moto.ts';
import { type AnswerForEnded, rememberClientTokens } from './ec2-client-tokens.ts';
import { makeNodeNetwork } from './moto-network.ts';

const region = 'eu-central-1';
let moto: Moto;
let settings: Ec2MachineSettings;

beforeAll(async () => {
  moto = await startMoto({ region });
  const ec2 = connectEc2(moto.config);
  settings = await makeNodeNetwork(moto, ec2, ['eu-central-1a']);
  ec2.destroy();
});
afterAll(() => moto?.stop());

function machinesWith(answerForEnded: AnswerForEnded) {
  const ec2 = connectEc2(moto.config);
  const ssm = connectSsm(moto.config);
  const tokens = rememberClientTokens(ec2, { answerForEnded });
  const machines = new Ec2Machines({ ec2: () => ec2, ssm: () => ssm }, { ...settings, images: {} });
  return { ec2, machines, tokens };
}

/** Makes the next searches by tag find nothing: what is new is not found yet, what ended over an hour ago no more. */
function hideMachines(ec2: EC2Client, searches: number): void {
  let left = searches;
  ec2.middlewareStack.add(
    (next, context) => async (call) => {
      if (context.commandName !== 'DescribeInstancesCommand' || !('Filters' in call.input) || left === 0)
        return next(call);
      left -= 1;
      return { output: { $metadata: {}, Reservations: [] }, response: {} };
    },
    { step: 'initialize' },
  );
}

function request(change: Partial<MachineRequest> = {}): MachineRequest {
  return {
    cluster: 'mgmt',
    uid: randomUUID(),
    region,
    name: 'agent-0',
    role: 'agent',
    instanceType: 'm5a.large',
    userData: '#cloud-config\n',
    ...change,
  };
}

describe('the token of a launch', () => {
  it('is the same for a name, but for the ends that are known of', () => {
    const wanted = request();
    const token = launchToken(wanted, []);
    expect(token).toMatch(/^[0-9a-f]{64}$/);
    expect(launchToken({ ...wanted, userData: '#cloud-config\n# other\n' }, [])).toBe(token);
    expect(launchToken(wanted, ['i-2', 'i-1'])).toBe(launchToken(wanted, ['i-1', 'i-2']));
    const others = [
      launchToken({ ...wanted, name: 'agent-1' }, []),
      launchToken({ ...wanted, uid: randomUUID() }, []),
      launchToken(wanted, ['i-1']),
      launchToken(wanted, ['i-1', 'i-2']),
    ];
    expect(new Set([token, ...others]).size).toBe(5);
  });
});

describe('a launch that is repeated', () => {
  it('gets the machine that is too new to be found', async () => {
    const { ec2, machines, tokens } = machinesWith('error');
    const wanted = request();
    const first = await machines.launch(wanted);
    hideMachines(ec2, 1);
    expect(await machines.launch(wanted)).toMatchObject({ id: first.id, name: 'agent-0', role: 'agent' });
    expect(tokens).toEqual([launchToken(wanted, []), launchToken(wanted, [])]);
  });

  it('with other user data gets the machine of the first time, once that is found', async () => {
    const { ec2, machines, tokens } = machinesWith('error');
    const wanted = request();
    const first = await machines.launch(wanted);
    hideMachines(ec2, 2);
    const changed = { ...wanted, userData: '#cloud-config\n# newer\n' };
    expect((await machines.launch(changed)).id).toBe(first.id);
    expect(tokens).toHaveLength(2);
    expect(await machines.list(region, wanted.uid)).toHaveLength(1);
  });
});

describe.each(['error', 'machine'] as const)('where EC2 answers for an ended machine with: %s', (answer) => {
  async function launchedAndEnded(count: number, wanted: MachineRequest) {
    const { ec2, machines, tokens } = machinesWith(answer);
    const ended: string[] = [];
    for (let index = 0; index < count; index += 1) {
      const { id } = await machines.launch(wanted);
      await machines.terminate(region, [id]);
      ended.push(id);
    }
    return { ec2, machines, tokens, ended };
  }

  it('a launch goes straight to the token after the ends that can be seen', async () => {
    const wanted = request();
    const { machines, tokens, ended } = await launchedAndEnded(2, wanted);
    const { id, state } = await machines.launch(wanted);
    expect(ended).not.toContain(id);
    expect(['pending', 'running']).toContain(state);
    expect(tokens).toEqual([[], ended.slice(0, 1), ended].map((ids) => launchToken(wanted, ids)));
  });

  it('a launch finds its way past ends that cannot be seen any more', async () => {
    const wanted = request();
    const { ec2, machines, tokens, ended } = await launchedAndEnded(2, wanted);
    hideMachines(ec2, 1);
    const { id, state } = await machines.launch(wanted);
    expect(ended).not.toContain(id);
    expect(['pending', 'running']).toContain(state);
    expect(tokens.at(-1)).not.toBe(tokens[0]);
  });

  it('a launch with other user data does so, too', async () => {
    const wanted = request();
    const { ec2, machines, ended } = await launchedAndEnded(1, wanted);
    hideMachines(ec2, 1);
    const { id } = await machines.launch({ ...wanted, userData: '#cloud-config\n# newer\n' });
    expect(ended).not.toContain(id);
    expect(await machines.list(region, wanted.uid)).toHaveLength(1);
  });

  it('a launch with other user data does so even when the end was too long ago to be seen', async () => {
    const wanted = request();
    const { ec2, machines, ended } = await launchedAndEnded(1, wanted);
    hideMachines(ec2, 5);
    const { id } = await machines.launch({ ...wanted, userData: '#cloud-config\n# newer\n' });
    expect(ended).not.toContain(id);
  });
});

it('a launch that only meets ended machines gives up, and may be repeated', async () => {
  const { ec2, machines } = machinesWith('error');
  let launches = 0;
  ec2.middlewareStack.add(
    (next, context) => async (call) => {
      if (context.commandName !== 'RunInstancesCommand') return next(call);
      launches += 1;
      const Instances = [{ InstanceId: `i-${launches}`, State: { Name: 'terminated' } }];
      return { output: { $metadata: {}, Instances }, response: {} };
    },
    { step: 'initialize', priority: 'high' },
  );
  await expect(machines.launch(request())).rejects.toMatchObject({ code: 'AwsUnavailable', retryable: true });
  expect(launches).toBe(10);
});
