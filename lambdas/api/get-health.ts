import { getHealth } from '../../core/api/reading.ts';
import { settings } from '../ports/settings.ts';
import { route } from '../route.ts';

export const handler = route(getHealth, { settings: settings() });
