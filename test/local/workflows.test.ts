import { beginMaking, beginRemoval } from '../../core/begin-operation.ts';
import { PetraError } from '../../core/errors.ts';
import { Disk } from '../../local/disk.ts';
import { Faults } from '../../local/faults.ts';
import { Pace } from '../../local/pace.ts';
import { LocalWorkflows } from '../../local/workflows.ts';
import { Gates } from '../adapters/gates.ts';
import { type Execution, workflowsContract } from '../adapters/workflows.contract.ts';
import { testPorts, workloadSpec } from '../core/test-ports.ts';

const caller = 'local:tester';

/** The deletion of clusters for which nothing was made: its executions wait where they look for secrets. */
workflowsContract('one machine', async () => {
  const gates = new Gates<'succeeded' | 'failed'>();
  const ports = await testPorts({
    tagged: { find: async () => [] },
    secrets: {
      createOnce: async () => true,
      put: async () => undefined,
      read: async () => undefined,
      remove: async () => undefined,
      list: async (uid) => {
        if ((await gates.pass(uid)) === 'succeeded') return [];
        throw new PetraError('AwsAccessDenied', 'asked for');
      },
    },
  });
  const disk = Disk.inMemory();
  const workflows = new LocalWorkflows({
    pace: new Pace(1_000),
    faults: new Faults(disk, []),
    log: () => {},
  });
  workflows.connect({ ...ports, workflows });
  let prepared = 0;

  async function prepare(): Promise<Execution> {
    prepared += 1;
    const name = `dev-${prepared}`;
    const made = await beginMaking(ports, {
      verb: 'create',
      spec: workloadSpec(name),
      management: 'mgmt',
      caller,
    });
    const { uid, fence } = made.record;
    const updatedAt = ports.clock.now().toISOString();
    await ports.fleet.release({ cluster: name, uid, fence }, { phase: 'Failed', updatedAt });
    const { operation } = await beginRemoval(ports, { verb: 'delete', name, caller, options: {} });
    const input = ports.inputs.at(-1);
    if (!operation || !input) throw new Error('no operation began');
    return { id: operation.id, verb: 'delete', input };
  }

  return {
    workflows,
    prepare,
    end: async ({ input }, how) => gates.open(input.operation.uid, how),
    runs: ({ input }) => gates.arrivals(input.operation.uid),
    close: async () => {
      await workflows.stop();
      await disk.close();
      await ports.close();
    },
  };
});
