// The certificates of the simulated API servers: one authority and one server certificate for the listener, one
// client certificate for each cluster. The only importer of @peculiar/x509, which is loaded when one must be made.

import { createPrivateKey, type webcrypto, X509Certificate } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { join } from 'node:path';

/** A certificate and its private key, both PEM. */
export interface KeyPair {
  readonly certificate: string;
  readonly key: string;
}

export interface Identity extends KeyPair {
  /** The certificate of the authority that signed it, PEM. */
  readonly authority: string;
}

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const validYears = 10;
/** Renewed at a start when fewer days are left. */
const renewalDays = 30;
const dayMilliseconds = 24 * 60 * 60 * 1000;

/** The one user who may do everything in a cluster. */
export const administrator = 'petra-admin';
const organization = 'petra:cluster:';

/** The cluster that a client certificate of this organisation admits to. */
export function clusterOf(subjectOrganization: string): string | undefined {
  return subjectOrganization.startsWith(organization)
    ? subjectOrganization.slice(organization.length)
    : undefined;
}

/** Certificates kept in a folder, readable by its owner only. */
export class Certificates {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** The listener's certificate for 127.0.0.1 and localhost. Safe to repeat: made once, renewed before it ends. */
  async server(): Promise<Identity> {
    return this.#ensure('server', {
      subject: 'CN=petra-simulated-kubernetes',
      names: ['127.0.0.1', 'localhost'],
    });
  }

  /** The certificate that admits a user, its administrator unless named, to one cluster. Safe to repeat. */
  async client(clusterId: string, user = administrator): Promise<Identity> {
    const subject = `CN=${user}, O=${organization}${clusterId}`;
    return this.#ensure(`client-${clusterId}${user === administrator ? '' : `-${user}`}`, { subject });
  }

  async #ensure(name: string, holder: Holder): Promise<Identity> {
    const authority = await this.#authority();
    const issuer = new X509Certificate(authority.certificate);
    const kept = await this.#read(name);
    if (kept && isLasting(kept) && new X509Certificate(kept.certificate).checkIssued(issuer)) {
      return { ...kept, authority: authority.certificate };
    }
    const made = await issueCertificate(holder, authority);
    await this.#write(name, made);
    return { ...made, authority: authority.certificate };
  }

  async #authority(): Promise<KeyPair> {
    const kept = await this.#read('authority');
    if (kept && isLasting(kept)) return kept;
    const made = await makeAuthority('CN=petra-simulated-kubernetes-ca');
    await this.#write('authority', made);
    return made;
  }

  async #read(name: string): Promise<KeyPair | undefined> {
    try {
      const [certificate, key] = await Promise.all([
        readFile(join(this.#folder, `${name}.crt`), 'utf8'),
        readFile(join(this.#folder, `${name}.key`), 'utf8'),
      ]);
      return { certificate, key };
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
      throw error;
    }
  }

  /** The certificate comes last and by renaming: a pair that is found is whole. */
  async #write(name: string, pair: KeyPair): Promise<void> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    for (const [extension, text] of [
      ['key', pair.key],
      ['crt', pair.certificate],
    ] as const) {
      const path = join(this.#folder, `${name}.${extension}`);
      await writeFile(`${path}.new`, text, { mode: 0o600 });
      await rename(`${path}.new`, path);
    }
  }
}

function isLasting({ certificate, key }: KeyPair): boolean {
  if (!key.includes('PRIVATE KEY')) return false;
  return Date.parse(new X509Certificate(certificate).validTo) > Date.now() + renewalDays * dayMilliseconds;
}

function validity(): { readonly notBefore: Date; readonly notAfter: Date } {
  const now = Date.now();
  // A day early, for clocks that are behind.
  return {
    notBefore: new Date(now - dayMilliseconds),
    notAfter: new Date(now + validYears * 365 * dayMilliseconds),
  };
}

export async function makeAuthority(subject: string): Promise<KeyPair> {
  const x509 = await loadX509();
  const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(),
    name: subject,
    ...validity(),
    signingAlgorithm: algorithm,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { certificate: certificate.toString('pem'), key: await pemOf(keys.privateKey) };
}

/** Whom a certificate is for: a client, or a server when it has names. */
export interface Holder {
  readonly subject: string;
  /** Host names and addresses of a server. */
  readonly names?: readonly string[];
}

/** The authority may have an RSA key, as those that Cluster API's providers make. */
export async function issueCertificate({ subject, names }: Holder, authority: KeyPair): Promise<KeyPair> {
  const x509 = await loadX509();
  const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const issuer = new x509.X509Certificate(authority.certificate);
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serialNumber(),
    subject,
    issuer: issuer.subject,
    ...validity(),
    signingAlgorithm: algorithm,
    publicKey: keys.publicKey,
    signingKey: await importKey(authority.key),
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage[names ? 'serverAuth' : 'clientAuth']]),
      await x509.AuthorityKeyIdentifierExtension.create(issuer.publicKey),
      ...(names
        ? [
            new x509.SubjectAlternativeNameExtension(
              names.map((value) => ({ type: isIP(value) ? 'ip' : 'dns', value }) as const),
            ),
          ]
        : []),
    ],
  });
  return { certificate: certificate.toString('pem'), key: await pemOf(keys.privateKey) };
}

function serialNumber(): string {
  return Buffer.from(crypto.getRandomValues(new Uint8Array(15)))
    .toString('hex')
    .replace(/^../, '4a');
}

async function pemOf(key: webcrypto.CryptoKey): Promise<string> {
  const der = Buffer.from(await crypto.subtle.exportKey('pkcs8', key)).toString('base64');
  const lines = der.match(/.{1,64}/g) ?? [];
  return `-----BEGIN PRIVATE KEY-----\n${lines.join('\n')}\n-----END PRIVATE KEY-----\n`;
}

async function importKey(pem: string): Promise<webcrypto.CryptoKey> {
  const key = createPrivateKey(pem);
  const kind =
    key.asymmetricKeyType === 'rsa' ? { name: 'RSASSA-PKCS1-v1_5', hash: algorithm.hash } : algorithm;
  return crypto.subtle.importKey('pkcs8', key.export({ type: 'pkcs8', format: 'der' }), kind, false, [
    'sign',
  ]);
}

async function loadX509(): Promise<typeof import('@peculiar/x509')> {
  providePolyfill();
  return import('@peculiar/x509');
}

/**
 * Its dependency tsyringe wants the metadata functions of a Reflect polyfill; these three are all it calls
 * (tsyringe/dist/esm5), which saves one more package.
 */
function providePolyfill(): void {
  if ('getMetadata' in Reflect) return;
  const metadata = new WeakMap<object, Map<string, unknown>>();
  const read = (key: string, target: object) => metadata.get(target)?.get(key);
  Object.assign(Reflect, {
    getMetadata: read,
    getOwnMetadata: read,
    defineMetadata: (key: string, value: unknown, target: object) => {
      const entries = metadata.get(target) ?? new Map<string, unknown>();
      metadata.set(target, entries.set(key, value));
    },
  });
}
