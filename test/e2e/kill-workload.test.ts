import { describeKills } from './kill.ts';
import type { LocalPetra } from './local-petra.ts';

async function withManagement(petra: LocalPetra): Promise<void> {
  await petra.finish(petra.init());
}

async function withWorkload(petra: LocalPetra): Promise<void> {
  await withManagement(petra);
  await petra.finish(petra.create());
}

describeKills({ verb: 'create', prepare: withManagement, begin: (petra) => petra.create() });

describeKills({ verb: 'delete', prepare: withWorkload, begin: (petra) => petra.delete() });

describeKills({
  verb: 'destroy',
  cascade: true,
  prepare: withWorkload,
  begin: (petra) => petra.destroy('petra-mgmt', { cascade: true }),
});
