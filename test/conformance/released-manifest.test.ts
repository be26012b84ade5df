import { expect, test } from 'vitest';
import { released } from './released-manifest.ts';

const manifest = `spec:
  containers:
  - args:
    - --image: registry.example/staging/manager:main
    image: registry.example/staging/manager:main
    imagePullPolicy: Always
  - image: registry.example/proxy:v0.16.0
`;
const image = 'registry.example/released/manager:v1.2.3';

test("the manager's image becomes the released one, and nothing else changes", () => {
  expect(released(manifest, { image })).toBe(
    manifest.replace('  image: registry.example/staging/manager:main', `  image: ${image}`),
  );
});

test('the pull policy changes when the project changes it', () => {
  expect(released(manifest, { image, pullPolicy: 'IfNotPresent' })).toContain(
    `image: ${image}\n    imagePullPolicy: IfNotPresent\n`,
  );
});

test('a manifest without that image is refused', () => {
  expect(() => released(manifest.replaceAll('/manager:', '/other:'), { image })).toThrow('found 0');
});

test('a manifest with two of it is refused', () => {
  expect(() => released(manifest + manifest, { image })).toThrow('found 2');
});
