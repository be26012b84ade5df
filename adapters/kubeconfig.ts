// Kubeconfig files, as far as Petra makes and stores them: embedded certificates or a token.
// Format: https://kubernetes.io/docs/reference/config-api/kubeconfig.v1/

import { parse } from 'yaml';
import { PetraError } from '../core/errors.ts';
import { recordAt } from '../core/json-fields.ts';

/** How to reach a cluster and who one is there. */
export interface Credentials {
  /** Without a slash at the end. */
  readonly server: URL;
  /** Name that the server's certificate must be valid for, when it is not the URL's. */
  readonly serverName?: string;
  /** PEM. Absent: the authorities that Node trusts. */
  readonly authority?: string;
  readonly skipVerification: boolean;
  readonly certificate?: string;
  readonly key?: string;
  readonly token?: string;
}

type Fields = Readonly<Record<string, unknown>>;

/**
 * What the current context of a kubeconfig says. Values are never part of an error.
 * @throws KubernetesUnauthorized for what cannot be used, saying which field and why
 */
export function parseKubeconfig(text: string): Credentials {
  const config = recordAt(parseYaml(text));
  const current = config['current-context'];
  if (typeof current !== 'string' || current === '') throw refused('it has no current-context');
  const context = named(config, 'contexts', 'context', current);
  const cluster = named(config, 'clusters', 'cluster', context.cluster);
  const user = named(config, 'users', 'user', context.user);
  for (const field of ['exec', 'auth-provider', 'username', 'password', 'tokenFile']) {
    if (user[field] !== undefined) {
      throw refused(`users[].user.${field} is not supported; use a client certificate or a token`);
    }
  }
  const token = user.token;
  if (token !== undefined && typeof token !== 'string') throw refused('users[].user.token is not a text');
  const certificate = embedded(user, 'users[].user', 'client-certificate');
  const key = embedded(user, 'users[].user', 'client-key');
  if ((certificate === undefined) !== (key === undefined)) {
    throw refused('it has one of client-certificate-data and client-key-data, not both');
  }
  if (certificate === undefined && token === undefined) {
    throw refused('its user has neither a client certificate nor a token');
  }
  const authority = embedded(cluster, 'clusters[].cluster', 'certificate-authority');
  const serverName = cluster['tls-server-name'];
  return {
    server: serverOf(cluster.server),
    skipVerification: cluster['insecure-skip-tls-verify'] === true,
    ...(typeof serverName === 'string' ? { serverName } : {}),
    ...(authority === undefined ? {} : { authority }),
    ...(certificate === undefined || key === undefined ? {} : { certificate, key }),
    ...(token === undefined ? {} : { token }),
  };
}

function refused(why: string, cause?: unknown): PetraError {
  return new PetraError('KubernetesUnauthorized', `the kubeconfig cannot be used: ${why}`, { cause });
}

function parseYaml(text: string): unknown {
  try {
    return parse(text);
  } catch {
    // The parser's message quotes the text, which is secret.
    throw refused('it is not valid YAML');
  }
}

function named(config: Fields, list: string, field: string, name: unknown): Fields {
  const entries = config[list];
  const entry = (Array.isArray(entries) ? entries : [])
    .map((one) => recordAt(one))
    .find((one) => one.name === name);
  if (!entry) throw refused(`${list} has no entry ${JSON.stringify(name) ?? 'for the context'}`);
  return recordAt(entry[field]);
}

/** The PEM text of `<field>-data`. Files are not read: a stored kubeconfig must stand for itself. */
function embedded(fields: Fields, path: string, field: string): string | undefined {
  const data = fields[`${field}-data`];
  if (data === undefined || data === '') {
    if (fields[field] === undefined) return undefined;
    throw refused(`${path}.${field} names a file; embed it (\`kubectl config view --raw --flatten\`)`);
  }
  const pem = typeof data === 'string' ? Buffer.from(data, 'base64').toString('utf8') : '';
  if (!pem.includes('-----BEGIN ')) throw refused(`${path}.${field}-data is not PEM in base64`);
  return pem;
}

function serverOf(value: unknown): URL {
  const server = typeof value === 'string' && URL.canParse(value) ? new URL(value) : undefined;
  if (server?.protocol !== 'https:') throw refused('clusters[].cluster.server is not an https URL');
  server.pathname = server.pathname.replace(/\/+$/, '');
  return server;
}
