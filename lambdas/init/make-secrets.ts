import { makeSecrets } from '../../core/steps/init-machines.ts';
import { newToken } from '../ports/clock.ts';
import { secrets } from '../ports/secrets.ts';
import { resources } from '../ports/table.ts';
import { task } from '../task.ts';

export const handler = task('MakeSecrets', makeSecrets, {
  secrets: secrets(),
  resources: resources(),
  newToken,
});
