// biome-ignore-all lint/suspicious/noTemplateCurlyInString: text that must stay as it is

import { expect, test } from 'vitest';
import { certManagerObjects } from '../../../core/capi/cert-manager.ts';

const manifest = [
  'apiVersion: v1\nkind: Namespace\nmetadata: {name: cert-manager}\n',
  'apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: cert-manager, namespace: cert-manager, labels: {app: x}}\n' +
    'spec: {template: {spec: {containers: [{name: c, image: "quay.io/jetstack/cert-manager-controller:v1.17.1", args: ["$(POD)", "$${X} ${Y}"]}]}}}\n',
  'apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: leader, namespace: kube-system}\n',
].join('---\n');

test('cert-manager gets the labels and the annotation by which clusterctl manages it', () => {
  for (const { metadata } of certManagerObjects(manifest, 'v1.17.1')) {
    expect(metadata.labels).toMatchObject({
      'clusterctl.cluster.x-k8s.io': '',
      'clusterctl.cluster.x-k8s.io/core': 'cert-manager',
    });
    expect(metadata.annotations).toEqual({ 'cert-manager.clusterctl.cluster.x-k8s.io/version': 'v1.17.1' });
  }
});

test('its manifest has no variables and its namespaces stay', () => {
  const [, deployment, role] = certManagerObjects(manifest, 'v1.17.1');
  expect(JSON.stringify(deployment)).toContain('$${X} ${Y}');
  expect(deployment?.metadata.labels).toHaveProperty('app', 'x');
  expect(role?.metadata.namespace).toBe('kube-system');
});

test('its images can come from a mirror', () => {
  const overrides = { 'cert-manager': { repository: 'mirror.example/jetstack' } };
  expect(JSON.stringify(certManagerObjects(manifest, 'v1.17.1', overrides))).toContain(
    '"mirror.example/jetstack/cert-manager-controller:v1.17.1"',
  );
});
