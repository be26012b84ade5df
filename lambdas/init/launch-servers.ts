import { launchServers } from '../../core/steps/init-machines.ts';
import { machines, networks } from '../ports/ec2.ts';
import { resources } from '../ports/table.ts';
import { task } from '../task.ts';

export const handler = task('LaunchServers', launchServers, {
  machines: machines(),
  networks: networks(),
  resources: resources(),
});
