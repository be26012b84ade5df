import { fetchComponents } from '../../core/steps/init-preflight.ts';
import { artifacts, releases } from '../ports/bucket.ts';
import { task } from '../task.ts';

export const handler = task('FetchComponents', fetchComponents, {
  releases: releases(),
  artifacts: artifacts(),
});
