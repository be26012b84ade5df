import { diagnoseMachines } from '../../core/steps/diagnose.ts';
import { diagnosis, machines } from '../ports/ec2.ts';
import { task } from '../task.ts';

export const handler = task('DiagnoseMachines', diagnoseMachines, {
  machines: machines(),
  diagnosis: diagnosis(),
});
