import { getEvents } from '../../core/api/reading.ts';
import { fleet, ledger } from '../ports/table.ts';
import { route } from '../route.ts';

export const handler = route(getEvents, { fleet: fleet(), ledger: ledger() });
