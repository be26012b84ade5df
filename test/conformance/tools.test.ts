import { expect, test } from 'vitest';
import { toolProblem } from './tools.ts';

const go = {
  name: 'Go',
  oldest: [1, 25],
  reason: 'the go.mod of Kubernetes asks for it',
  howToGet: ['macOS:  brew install go'],
} as const;

test.each(['go version go1.25.0 linux/amd64', 'go version go1.30.1 darwin/arm64', 'Client Version: v2.0.1'])(
  '%s is new enough for 1.25',
  (said) => {
    expect(toolProblem(go, said)).toBeUndefined();
  },
);

test('a tool that is too old is told with its version and how to get a newer one', () => {
  expect(toolProblem(go, 'go version go1.24.9 linux/amd64\n')).toBe(
    'Conformance needs Go 1.25 or newer (the go.mod of Kubernetes asks for it); found go version go1.24.9 linux/amd64. To get it:\n' +
      '  macOS:  brew install go',
  );
});

test('a tool that is not there is told', () => {
  expect(toolProblem(go, undefined)).toContain('none is on the PATH');
});

test('a tool that says no version is told with what it says', () => {
  expect(toolProblem(go, 'not a version')).toContain('found not a version.');
});
