import { preflight } from '../../core/steps/init-preflight.ts';
import { releases } from '../ports/bucket.ts';
import { machines } from '../ports/ec2.ts';
import { task } from '../task.ts';

export const handler = task('Preflight', preflight, { machines: machines(), releases: releases() });
