import { checkResidue } from '../../core/steps/residue.ts';
import { resources } from '../ports/table.ts';
import { tagged } from '../ports/tagged.ts';
import { task } from '../task.ts';

export const handler = task('CheckResidue', checkResidue, { tagged: tagged(), resources: resources() });
