import { beginMaking, beginRemoval } from '../../core/begin-operation.ts';
import { managementSpec } from '../core/test-ports.ts';
import { describeInterruptions } from './interruptions.ts';
import { caller } from './whole-petra.ts';

describeInterruptions({
  verb: 'init',
  prepare: async () => {},
  begin: ({ ports }) => beginMaking(ports, { verb: 'init', spec: managementSpec(), caller }),
});

describeInterruptions({
  verb: 'destroy',
  prepare: (petra) => petra.init(managementSpec()),
  begin: ({ ports }) => beginRemoval(ports, { verb: 'destroy', name: 'mgmt', caller, options: {} }),
});
