import { checkServers } from '../../core/steps/init-machines.ts';
import { machines } from '../ports/ec2.ts';
import { task } from '../task.ts';

export const handler = task('CheckServers', checkServers, { machines: machines() });
