import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { type FunctionActions, functionActionsText } from '../../scripts/function-calls.ts';

const file = path.join(import.meta.dirname, '../../cdk/function-actions.json');
const text = readFileSync(file, 'utf8');
const functions: Record<string, FunctionActions> = JSON.parse(text);

test('cdk/function-actions.json is what the code reaches (scripts/function-calls.ts writes it)', async () => {
  expect(text).toBe(await functionActionsText());
}, 120_000);

describe('a function that talks to Kubernetes', () => {
  const inside = Object.entries(functions).filter(([, { kubernetes }]) => kubernetes);
  // Its subnets have endpoints for these, and no other way out.
  const reachable = ['dynamodb', 's3', 'secretsmanager'];

  test.each(inside)('%s calls nothing that its network does not reach', (_name, { actions }) => {
    expect(actions.filter((action) => !reachable.includes(action.split(':')[0] ?? ''))).toEqual([]);
  });

  test('is where Kubernetes is asked, and nowhere else', () => {
    const asking = Object.entries(functions).filter(([, { calls }]) =>
      calls.some((call) => call.startsWith('kubernetes.')),
    );
    expect(asking.map(([name]) => name)).toEqual(inside.map(([name]) => name));
    expect(inside.map(([name]) => name)).toContain('init/check-api');
  });
});

test('a function that only reads the fleet writes nothing', () => {
  const written = ['api/get-cluster', 'api/get-clusters', 'api/get-operations', 'api/get-events'].flatMap(
    (name) => (functions[name]?.actions ?? []).filter((action) => !/:(?:Get|BatchGet|Query)/.test(action)),
  );
  expect(written).toEqual([]);
});
