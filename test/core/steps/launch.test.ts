import { afterAll, expect, test } from 'vitest';
import { beginMaking } from '../../../core/begin-operation.ts';
import type { MachineRequest, Machines, Networks } from '../../../core/ports.ts';
import { launchServers } from '../../../core/steps/init-machines.ts';
import { runStep } from '../../../core/steps/run-step.ts';
import { managementSpec, testPorts } from '../test-ports.ts';

const ports = await testPorts();
afterAll(() => ports.close());

test('nodes take k3s from the mirror of the settings', async () => {
  const launched: MachineRequest[] = [];
  const machines: Pick<Machines, 'launch'> = {
    launch: async (request) => {
      launched.push(request);
      const { name, role } = request;
      return { id: 'i-0123456789abcdef0', name, role, state: 'pending', address: '10.0.0.4' };
    },
  };
  const networks: Pick<Networks, 'listInterfaces'> = {
    listInterfaces: async () => [{ id: 'eni-1', name: 'server-0', address: '10.0.0.4' }],
  };
  const settings = { ...ports.settings, k3sReleasesUrl: 'https://mirror.example/k3s' };
  const { operation } = await beginMaking(ports, {
    verb: 'init',
    spec: managementSpec(),
    caller: 'local:me',
  });
  if (!operation) throw new Error('nothing was begun');
  const { id, verb, cluster, uid, fence } = operation;
  // The step uses these two calls of its ports, and no other.
  const given = {
    ...ports,
    settings,
    machines: machines as Machines,
    networks: networks as Networks,
  };
  await runStep(
    given,
    'LaunchServers',
    { run: launchServers },
    { operation: { id, verb, cluster, uid, fence } },
  );
  expect(launched.map(({ userData }) => userData)).toEqual([
    expect.stringContaining('PETRA_K3S_BASE_URL=https://mirror.example/k3s'),
  ]);
});
