import { describe, expect, test } from 'vitest';
import { parseKubeconfig } from '../../adapters/kubeconfig.ts';

const pem = (name: string) =>
  Buffer.from(`-----BEGIN ${name}-----\nc2VjcmV0\n-----END ${name}-----\n`).toString('base64');

function kubeconfig(user: string, cluster = 'server: "https://[::1]:6443/"'): string {
  return `
current-context: b
contexts:
- {name: a, context: {cluster: none, user: none}}
- {name: b, context: {cluster: k, user: u}}
clusters:
- name: k
  cluster: {${cluster}}
users:
- name: u
  user: {${user}}
`;
}

describe('a kubeconfig', () => {
  test('gives the server and the certificate of its current context', () => {
    const text = kubeconfig(
      `client-certificate-data: ${pem('CERTIFICATE')}, client-key-data: ${pem('PRIVATE KEY')}`,
      `server: https://10.0.0.1:6443/x/, certificate-authority-data: ${pem('CERTIFICATE')}, tls-server-name: api`,
    );
    const credentials = parseKubeconfig(text);
    expect(credentials.server.href).toBe('https://10.0.0.1:6443/x');
    expect(credentials).toMatchObject({
      serverName: 'api',
      skipVerification: false,
      certificate: expect.stringContaining('BEGIN CERTIFICATE'),
      key: expect.stringContaining('BEGIN PRIVATE KEY'),
      authority: expect.stringContaining('BEGIN CERTIFICATE'),
    });
  });

  test.each([
    ['is not YAML', 'a: [secret', 'it is not valid YAML'],
    ['is empty', '', 'it has no current-context'],
    ['names a context that is not there', 'current-context: x', 'contexts has no entry "x"'],
    [
      'wants a plugin to be run',
      kubeconfig('exec: {command: aws}'),
      'users[].user.exec is not supported; use a client certificate or a token',
    ],
    [
      'points to files',
      kubeconfig('client-certificate: /secret/path, client-key: /secret/path'),
      'users[].user.client-certificate names a file; embed it (`kubectl config view --raw --flatten`)',
    ],
    ['has no credentials', kubeconfig(''), 'its user has neither a client certificate nor a token'],
    [
      'has a certificate without its key',
      kubeconfig(`client-certificate-data: ${pem('CERTIFICATE')}`),
      'it has one of client-certificate-data and client-key-data, not both',
    ],
    [
      'has data that is no certificate',
      kubeconfig('client-certificate-data: c2VjcmV0, client-key-data: c2VjcmV0'),
      'users[].user.client-certificate-data is not PEM in base64',
    ],
    [
      'would send credentials in clear',
      kubeconfig('token: secret', 'server: http://10.0.0.1'),
      'clusters[].cluster.server is not an https URL',
    ],
  ])('that %s is refused, saying why and nothing secret', (_case, text, why) => {
    expect(() => parseKubeconfig(text)).toThrow(
      expect.objectContaining({
        code: 'KubernetesUnauthorized',
        message: `the kubeconfig cannot be used: ${why}`,
      }),
    );
  });
});
