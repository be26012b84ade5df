import { describeKills } from './kill.ts';

describeKills({
  verb: 'init',
  prepare: async () => {},
  begin: (petra) => petra.init(),
});

describeKills({
  verb: 'destroy',
  prepare: async (petra) => {
    await petra.finish(petra.init());
  },
  begin: (petra) => petra.destroy(),
});
