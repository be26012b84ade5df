import { recordReady } from '../../core/steps/create.ts';
import { finalTask } from '../task.ts';

export const handler = finalTask('RecordReady', recordReady, {});
