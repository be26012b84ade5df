import { failureTask } from '../task.ts';

export const handler = failureTask();
