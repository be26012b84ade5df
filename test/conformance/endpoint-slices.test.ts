import { expect, test } from 'vitest';
import { endpointSliceOf } from './endpoint-slices.ts';

const service = {
  metadata: { namespace: 'capa-system', name: 'capa-webhook-service', uid: 'abc' },
  spec: {
    selector: { 'cluster.x-k8s.io/provider': 'infrastructure-aws' },
    ports: [{ port: 443, targetPort: 'webhook-server' }],
  },
};
const pod = {
  namespace: 'capa-system',
  labels: { 'cluster.x-k8s.io/provider': 'infrastructure-aws', 'control-plane': 'capa' },
  containers: [{ name: 'manager', image: 'x', ports: [{ name: 'webhook-server', containerPort: 9443 }] }],
  address: '172.31.0.10',
  isReady: true,
};

test('a Service that selects the Pod leads to the Pod’s own port', () => {
  expect(endpointSliceOf(service, pod)).toMatchObject({
    metadata: {
      namespace: 'capa-system',
      labels: { 'kubernetes.io/service-name': 'capa-webhook-service' },
      ownerReferences: [{ kind: 'Service', name: 'capa-webhook-service', uid: 'abc' }],
    },
    endpoints: [{ addresses: ['172.31.0.10'], conditions: { ready: true } }],
    ports: [{ name: '', protocol: 'TCP', port: 9443 }],
  });
});

test('a Pod that is not ready is in the slice as such', () => {
  expect(endpointSliceOf(service, { ...pod, isReady: false })?.endpoints[0]?.conditions.ready).toBe(false);
});

test('without a target port a Service means its own', () => {
  const plain = { ...service, spec: { ...service.spec, ports: [{ name: 'https', port: 8443 }] } };
  expect(endpointSliceOf(plain, pod)?.ports).toEqual([{ name: 'https', protocol: 'TCP', port: 8443 }]);
});

test.each([
  ['of another namespace', { ...service, metadata: { ...service.metadata, namespace: 'capi-system' } }],
  ['that selects other labels', { ...service, spec: { selector: { 'control-plane': 'capi' } } }],
  ['without a selector', { ...service, spec: { ports: service.spec.ports } }],
])('a Service %s has nothing to do with the Pod', (_, other) => {
  expect(endpointSliceOf(other, pod)).toBeUndefined();
});
