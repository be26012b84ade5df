import { expect, test } from 'vitest';
import { commandOf, environmentOf, portOf, userOf } from './pod-template.ts';

const pod = {
  namespace: 'capi-system',
  name: 'capi-controller-manager',
  uid: '7b0f',
  address: '10.42.0.7',
  nodeAddress: '172.31.0.10',
  nodeName: 'a-node',
  serviceAccount: 'capi-manager',
};
const container = { name: 'manager', image: 'manager:v1' };

test('the environment has what is given, the values of fields, and values that name earlier ones', () => {
  const env = [
    { name: 'POD_NAMESPACE', valueFrom: { fieldRef: { fieldPath: 'metadata.namespace' } } },
    { name: 'POD_IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
    { name: 'WHERE', value: '$(POD_NAMESPACE)/$(LATER)/$$(POD_IP)' },
    { name: 'LATER', value: 'x' },
    { name: 'EMPTY' },
    { name: 'HOME', value: '/root' },
  ];
  expect(environmentOf({ ...container, env }, pod, { PATH: '/bin', HOME: '/' })).toEqual({
    PATH: '/bin',
    HOME: '/root',
    POD_NAMESPACE: 'capi-system',
    POD_IP: '10.42.0.7',
    WHERE: 'capi-system/$(LATER)/$(POD_IP)',
    LATER: 'x',
    EMPTY: '',
  });
});

test('a value from elsewhere than a field is an error that names the variable', () => {
  const env = [{ name: 'PASSWORD', valueFrom: {} }];
  expect(() => environmentOf({ ...container, env }, pod, {})).toThrow('env PASSWORD');
});

test('the command is the image’s unless the container has one, with arguments behind it', () => {
  const image = ['/app/cmd/webhook', 'webhook'];
  const args = ['--port=$(PORT)', '--v=2'];
  expect(commandOf({ ...container, args }, image, { PORT: '9443' })).toEqual([
    '/app/cmd/webhook',
    'webhook',
    '--port=9443',
    '--v=2',
  ]);
  expect(commandOf({ ...container, args, command: ['/manager'] }, image, {})).toEqual([
    '/manager',
    '--port=$(PORT)',
    '--v=2',
  ]);
});

test('a port has its number or the name of any container’s port', () => {
  const containers = [
    container,
    { ...container, ports: [{ name: 'webhook-server', containerPort: 9443 }, { containerPort: 8080 }] },
  ];
  expect(portOf(containers, 'webhook-server')).toBe(9443);
  expect(portOf(containers, 8080)).toBe(8080);
  expect(portOf(containers, 'metrics')).toBeUndefined();
});

test('a container runs as the user it names, else as the Pod’s, else as the images’', () => {
  const spec = { containers: [], securityContext: { runAsUser: 1000 } };
  expect(userOf({ containers: [] }, container)).toEqual({ user: 65532, group: 65532 });
  expect(userOf(spec, container)).toEqual({ user: 1000, group: 1000 });
  expect(userOf(spec, { ...container, securityContext: { runAsUser: 7, runAsGroup: 8 } })).toEqual({
    user: 7,
    group: 8,
  });
});
