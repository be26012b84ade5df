import { getClusters } from '../../core/api/routes.ts';
import { fleet } from '../ports/table.ts';
import { route } from '../route.ts';

export const handler = route(getClusters, { fleet: fleet() });
