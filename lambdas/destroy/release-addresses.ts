import { releaseAddresses } from '../../core/steps/destroy.ts';
import { networks } from '../ports/ec2.ts';
import { resources } from '../ports/table.ts';
import { task } from '../task.ts';

export const handler = task('ReleaseAddresses', releaseAddresses, {
  networks: networks(),
  resources: resources(),
});
