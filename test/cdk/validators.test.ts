// What others' tools say of the template.

import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import aslValidator from 'asl-validator';
import { AwsSolutionsChecks } from 'cdk-nag';
import { expect, test } from 'vitest';
import { pythonTool } from '../../scripts/python-tools.ts';
import { ofType, synthesise } from './synthesise.ts';

const kmsKeyArn = 'arn:aws:kms:us-east-1:111122223333:key/0000-1111';
const given = { vpcId: 'vpc-0123', nodeSubnetIds: 'subnet-0a', functionSubnetIds: 'subnet-0b' };
const petra = synthesise();

test.each([
  ['by default', {}],
  ['with a key, flow logs and an archive', { kmsKeyArn, flowLogs: 'true', eventArchiveDays: '30' }],
  ['in a VPC that is given', given],
])('cdk-nag finds nothing that is not explained, %s', (_, context) => {
  const { stack } = synthesise(context);
  const { violations } = new AwsSolutionsChecks().validateScope(stack);
  const found = violations.flatMap(({ ruleName, violatingResources }) =>
    violatingResources.map(({ constructPath }) => `${ruleName} ${constructPath}`),
  );
  expect(found).toEqual([]);
});

test('cfn-lint accepts the template in both partitions', { timeout: 300_000 }, async () => {
  const bin = await pythonTool('cfn-lint');
  const folder = await mkdtemp(path.join(tmpdir(), 'petra-cfn-lint-'));
  try {
    const file = path.join(folder, 'template.json');
    // It knows state machines of the one partition, and no placeholder there.
    // biome-ignore lint/suspicious/noTemplateCurlyInString: a placeholder of the definitions.
    await writeFile(file, petra.text.replaceAll('arn:${Partition}:states:::', 'arn:aws:states:::'));
    const regions = ['us-east-1', 'us-gov-west-1'];
    // W3005: the CDK writes down dependencies that references imply.
    const options = ['--ignore-checks', 'W3005', '--regions', ...regions, '--template', file];
    const { stdout } = await promisify(execFile)(path.join(bin, 'cfn-lint'), options).catch((error) => error);
    expect(stdout).toBe('');
  } finally {
    await rm(folder, { recursive: true });
  }
});

test.each([...ofType(petra, 'AWS::StepFunctions::StateMachine')])(
  'asl-validator accepts %s as deployed',
  (_, machine) => {
    const { DefinitionString, DefinitionSubstitutions } = machine.Properties;
    const text = Object.keys(DefinitionSubstitutions as object).reduce(
      (definition, name) =>
        definition.replaceAll(
          `\${${name}}`,
          name === 'Partition'
            ? 'aws-us-gov'
            : `arn:aws-us-gov:lambda:us-gov-west-1:111122223333:function:${name}`,
        ),
      String(DefinitionString),
    );
    expect(text).not.toContain('$' + '{');
    const { isValid, errorsText } = aslValidator(JSON.parse(text), { checkArn: true, checkPaths: true });
    expect(isValid ? '' : errorsText('\n')).toBe('');
  },
);
