import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { readSettings } from '../../cdk/settings.ts';
import { idleCosts } from '../../scripts/deploy-costs.ts';
import { renderDeployDoc } from '../../scripts/generate-deploy-doc.ts';
import { synthesise } from '../cdk/synthesise.ts';

const page = readFileSync('docs/deploy.md', 'utf8');
const { resources, template } = synthesise();

test('docs/deploy.md has the present resources, keys and costs (else run scripts/generate-deploy-doc.ts)', async () => {
  expect(await renderDeployDoc(page, resources)).toBe(page);
});

test('docs/deploy.md cannot be rendered without its markers', async () => {
  await expect(renderDeployDoc('# no tables', resources)).rejects.toThrow('lacks the lines');
});

test('a resource whose purpose nobody has written down stops the page', async () => {
  const more = { ...resources, New: { Type: 'AWS::Kinesis::Stream', Properties: {} } };
  await expect(renderDeployDoc(page, more)).rejects.toThrow('AWS::Kinesis::Stream');
});

test('a stack in which nothing runs costs at most 15 dollars a month', async () => {
  const { reconcileMinutes } = readSettings(() => undefined, '0.0.0');
  const costs = await idleCosts(resources, reconcileMinutes, 4);
  const sum = costs.reduce((total, { dollars }) => total + dollars, 0);
  expect(sum).toBeLessThanOrEqual(15);
  expect(sum).toBeGreaterThan(5);
});

test('docs/deploy.md explains what each output is for that a person needs', () => {
  for (const output of Object.keys(template.toJSON().Outputs as object)) {
    // The endpoint is found by the CLI, the node role is for policies of keys, the last one is a sentence itself.
    if (['Endpoint', 'NodeRole', 'KeptOnDestroy'].includes(output)) continue;
    expect(page).toContain(output);
  }
});
