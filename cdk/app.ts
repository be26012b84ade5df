// `cdk synth` and `cdk deploy` begin here. Settings come from the context; cdk/settings.ts has the keys.

import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { App } from 'aws-cdk-lib';
import { PetraStack } from './petra-stack.ts';
import { readSettings } from './settings.ts';

const root = path.join(import.meta.dirname, '..');
const { version } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));

const bundles = path.join(root, 'build', 'lambdas');
if (!existsSync(bundles)) throw new Error(`${bundles} is not there: run \`npm run build\` first`);

const app = new App();
const settings = readSettings((key) => app.node.tryGetContext(key), version);
// Of no account and region: the same template fits all, and synthesis asks AWS for nothing.
new PetraStack(app, settings.stackName, { settings, bundles });
app.synth();
