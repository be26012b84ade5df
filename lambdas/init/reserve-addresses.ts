import { reserveAddresses } from '../../core/steps/init-machines.ts';
import { networks } from '../ports/ec2.ts';
import { resources } from '../ports/table.ts';
import { task } from '../task.ts';

export const handler = task('ReserveAddresses', reserveAddresses, {
  networks: networks(),
  resources: resources(),
});
