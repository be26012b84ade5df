import { createPrivateKey, X509Certificate } from 'node:crypto';
import { expect, test } from 'vitest';
import { issueCertificate, makeAuthority } from '../../local/kubernetes/certificates.ts';

test('a server certificate is valid for its names and addresses, and signed by its authority', async () => {
  const authority = await makeAuthority('CN=an authority');
  const { certificate, key } = await issueCertificate(
    { subject: 'CN=a server', names: ['kubernetes.default', '10.0.0.1'] },
    authority,
  );
  const made = new X509Certificate(certificate);
  expect(made.checkIssued(new X509Certificate(authority.certificate))).toBe(true);
  expect(made.verify(new X509Certificate(authority.certificate).publicKey)).toBe(true);
  expect(made.checkPrivateKey(createPrivateKey(key))).toBe(true);
  expect(made.checkHost('kubernetes.default')).toBe('kubernetes.default');
  expect(made.checkIP('10.0.0.1')).toBe('10.0.0.1');
  expect(made.checkHost('kubernetes')).toBeUndefined();
});

test('an authority with an RSA key in its traditional form signs as well', async () => {
  const { privateKey, certificate } = await rsaAuthority();
  const authority = { certificate, key: privateKey };
  const client = await issueCertificate({ subject: 'CN=admin, O=system:masters' }, authority);
  const made = new X509Certificate(client.certificate);
  expect(made.verify(new X509Certificate(certificate).publicKey)).toBe(true);
  expect(made.subject).toBe('CN=admin\nO=system:masters');
});

/** As Cluster API's providers make them: RSA, PKCS #1. */
async function rsaAuthority() {
  // The package loads only after what the first use of the module under test prepares.
  await makeAuthority('CN=unused');
  const { X509CertificateGenerator } = await import('@peculiar/x509');
  const algorithm = {
    name: 'RSASSA-PKCS1-v1_5',
    hash: 'SHA-256',
    modulusLength: 2048,
    publicExponent: new Uint8Array([1, 0, 1]),
  };
  const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const made = await X509CertificateGenerator.createSelfSigned({
    serialNumber: '01',
    name: 'CN=kubernetes',
    signingAlgorithm: algorithm,
    keys,
  });
  const der = Buffer.from(await crypto.subtle.exportKey('pkcs8', keys.privateKey));
  const key = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
  return {
    certificate: made.toString('pem'),
    privateKey: key.export({ type: 'pkcs1', format: 'pem' }).toString(),
  };
}
