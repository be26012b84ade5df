import { terminateMachines } from '../../core/steps/destroy.ts';
import { machines } from '../ports/ec2.ts';
import { task } from '../task.ts';

export const handler = task('TerminateMachines', terminateMachines, { machines: machines() });
