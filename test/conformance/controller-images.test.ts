import { expect, test } from 'vitest';
import { programOf } from './controller-images.ts';

const programs = {
  'capi-core': '/bin/core',
  'k3s-bootstrap': '/bin/bootstrap',
  'k3s-control-plane': '/bin/control-plane',
  capa: '/bin/capa',
  'cert-manager': '/bin/cert-manager',
};

test.each([
  ['registry.k8s.io/cluster-api/cluster-api-controller:v1.9.5', '/bin/core'],
  ['registry.k8s.io/cluster-api-aws/cluster-api-aws-controller:v2.7.2', '/bin/capa'],
  ['ghcr.io/k3s-io/cluster-api-k3s/bootstrap-controller:v0.3.1', '/bin/bootstrap'],
  ['mirror.example:5000/k3s/controlplane-controller:v0.3.1@sha256:0123abc', '/bin/control-plane'],
])('%s is %s', (image, binary) => {
  expect(programOf(image, programs)).toEqual({ binary, command: ['/manager'] });
});

test('the images of cert-manager are sub-commands of one program', () => {
  const image = 'quay.io/jetstack/cert-manager-cainjector:v1.17.1';
  expect(programOf(image, programs)).toMatchObject({
    binary: '/bin/cert-manager',
    command: [expect.anything(), 'cainjector'],
  });
});

test.each([
  ['of somebody else', 'quay.io/brancz/kube-rbac-proxy:v0.16.0'],
  ['of another version', 'registry.k8s.io/cluster-api/cluster-api-controller:v1.9.6'],
  ['without a version', 'registry.k8s.io/cluster-api/cluster-api-controller'],
])('an image %s has no program', (_, image) => {
  expect(programOf(image, programs)).toBeUndefined();
});
