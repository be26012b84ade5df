import { getOperation } from '../../core/api/reading.ts';
import { operations } from '../ports/table.ts';
import { route } from '../route.ts';

export const handler = route(getOperation, { operations: operations() });
