import { beginMaking, beginRemoval } from '../../core/begin-operation.ts';
import { managementSpec, workloadSpec } from '../core/test-ports.ts';
import { describeInterruptions } from './interruptions.ts';
import { caller, type WholePetra } from './whole-petra.ts';

async function withWorkload(petra: WholePetra): Promise<void> {
  await petra.init(managementSpec());
  await petra.create(workloadSpec());
}

describeInterruptions({
  verb: 'create',
  prepare: (petra) => petra.init(managementSpec()),
  begin: ({ ports }) =>
    beginMaking(ports, { verb: 'create', spec: workloadSpec(), management: 'mgmt', caller }),
});

describeInterruptions({
  verb: 'delete',
  prepare: withWorkload,
  begin: ({ ports }) => beginRemoval(ports, { verb: 'delete', name: 'dev', caller, options: {} }),
});

describeInterruptions({
  verb: 'destroy',
  cascade: true,
  prepare: withWorkload,
  begin: ({ ports }) =>
    beginRemoval(ports, { verb: 'destroy', name: 'mgmt', caller, options: { cascade: true } }),
});
