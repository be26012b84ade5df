import { recordRemoved } from '../../core/steps/residue.ts';
import { resources } from '../ports/table.ts';
import { tagged } from '../ports/tagged.ts';
import { finalTask } from '../task.ts';

export const handler = finalTask('RecordRemoved', recordRemoved, {
  tagged: tagged(),
  resources: resources(),
});
