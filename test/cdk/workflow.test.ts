import { describe, expect, test } from 'vitest';
import { tasksOf } from '../../cdk/workflow.ts';
import { inlineStatements } from './policies.ts';
import { functionOf, readStateMachines, resource, synthesise } from './synthesise.ts';

const petra = synthesise();
const definitions = readStateMachines();

describe.each([...definitions])('%s', (verb, definition) => {
  const prefix = `${verb[0]?.toUpperCase()}${verb.slice(1)}`;
  const machine = resource(petra, 'AWS::StepFunctions::StateMachine', prefix);
  const tasks = tasksOf(definition);
  const functionArns = tasks.map(({ name }) => ({
    'Fn::GetAtt': [expect.stringMatching(`^${prefix}${name}[0-9A-F]{8}$`), 'Arn'],
  }));

  test('is the file, with a function for each placeholder', () => {
    const { DefinitionString, DefinitionSubstitutions } = machine.Properties;
    const ofTemplate = JSON.parse(String(DefinitionString).replaceAll('$' + '{Partition}', 'aws'));
    expect(ofTemplate).toEqual(definition);
    const placeholders = new Set(
      [...String(DefinitionString).matchAll(/\$\{(\w+)\}/g)].map((match) => match[1]),
    );
    const substitutions = Object.keys(DefinitionSubstitutions as object);
    expect(substitutions.sort()).toEqual([...placeholders].sort());
    expect(DefinitionSubstitutions).toEqual({
      Partition: { Ref: 'AWS::Partition' },
      ...Object.fromEntries(tasks.map(({ name }, index) => [name, functionArns[index]])),
    });
  });

  test('may call exactly its functions', () => {
    const role = resource(petra, 'AWS::IAM::Role', `${prefix}StateMachineRole`);
    const calls = inlineStatements(role, 'Functions');
    expect(calls.map(({ Action }) => Action)).toEqual([['lambda:InvokeFunction']]);
    expect(calls.flatMap(({ Resource }) => Resource.map((one) => JSON.parse(one)))).toEqual(functionArns);
    expect(role.Properties.Policies).toHaveLength(2);
  });

  test('is a Standard one, logged and traced whole', () => {
    expect(machine.Properties).toMatchObject({
      StateMachineType: 'STANDARD',
      StateMachineName: `petra-${verb}`,
      LoggingConfiguration: { Level: 'ALL', IncludeExecutionData: true },
      TracingConfiguration: { Enabled: true },
    });
  });

  test.each(tasks)('$name ends before its state does', ({ name, timeoutSeconds }) => {
    const file = name.replace(/(?!^)([A-Z])/g, '-$1').toLowerCase();
    expect(functionOf(petra, `${verb}/${file}`).made.Properties.Timeout).toBe(timeoutSeconds - 5);
  });

  test('passes on ids and small facts', () => {
    const text = JSON.stringify(definition);
    expect(text.match(/\$\.[\w.]*(token|kubeconfig|userData|manifest|password)/gi)).toBeNull();
  });
});

describe('secrets', () => {
  test('are made at run time: the template has none, and refers to none', () => {
    petra.template.resourceCountIs('AWS::SecretsManager::Secret', 0);
    expect(petra.text.match(/\{\{resolve:[^}]*\}\}/g)).toBeNull();
    expect(petra.text.match(/"[A-Z_]*(TOKEN|PASSWORD|CREDENTIAL|PRIVATE)[A-Z_]*":/g)).toBeNull();
  });
});

test('tasks inside a Map are found, and one without a timeout is refused', () => {
  const task = {
    Type: 'Task',
    Parameters: { FunctionName: '$' + '{Inner}' },
    TimeoutSeconds: 9,
    Comment: 'why',
  };
  const map = (inner: object) => ({
    States: { Each: { Type: 'Map', ItemProcessor: { States: { Inner: inner } } } },
  });
  expect(tasksOf(map(task))).toEqual([{ name: 'Inner', timeoutSeconds: 9, comment: 'why' }]);
  expect(() => tasksOf(map({ ...task, TimeoutSeconds: undefined }))).toThrow('Inner has no TimeoutSeconds');
});
