import { removeSecrets } from '../../core/steps/delete.ts';
import { secrets } from '../ports/secrets.ts';
import { resources } from '../ports/table.ts';
import { task } from '../task.ts';

export const handler = task('RemoveSecrets', removeSecrets, { secrets: secrets(), resources: resources() });
