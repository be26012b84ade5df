import { checkMachines } from '../../core/steps/destroy.ts';
import { machines } from '../ports/ec2.ts';
import { resources } from '../ports/table.ts';
import { task } from '../task.ts';

export const handler = task('CheckMachines', checkMachines, { machines: machines(), resources: resources() });
