import { getOperations } from '../../core/api/reading.ts';
import { operations } from '../ports/table.ts';
import { route } from '../route.ts';

export const handler = route(getOperations, { operations: operations() });
