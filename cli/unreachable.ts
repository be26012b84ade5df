// Why an API could not be reached, by what the system said, and what helps.

import { PetraError } from '../core/errors.ts';
import { regionOfHost } from './aws-hosts.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** Codes of errors in a certificate's chain, as Node names them: a proxy that looks into TLS causes them, too. */
const untrusted = new Set([
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]);

function codeOf(error: unknown): string {
  if (error instanceof AggregateError) return codeOf(error.errors[0]);
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

function proxyHint(env: Environment): string {
  const name = ['HTTPS_PROXY', 'https_proxy', 'HTTP_PROXY', 'http_proxy'].find((variable) => env[variable]);
  return name === undefined ? '' : ` ${name} is set, but petra connects directly.`;
}

function reasonAndFix(url: string, cause: unknown, env: Environment): readonly [string, string | undefined] {
  const { host, hostname } = new URL(url);
  const code = codeOf(cause);
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') {
    return [
      `the name ${hostname} is not known`,
      regionOfHost(hostname) === undefined || code === 'EAI_AGAIN'
        ? `Check the address and the network.${proxyHint(env)}`
        : `Check the network. If other names are found, this API was removed: \`petra config use-stack\` finds that of the present stack.${proxyHint(env)}`,
    ];
  }
  if (code === 'ECONNREFUSED') {
    return [
      `nothing listens at ${host}`,
      'Check --endpoint or PETRA_ENDPOINT, or start a local one: `petra local up`.',
    ];
  }
  if (untrusted.has(code)) {
    return [
      `${host} shows a certificate of an authority that is not trusted`,
      'Name the file with the certificate of your authority, or of the proxy in between, in NODE_EXTRA_CA_CERTS.',
    ];
  }
  if (
    code.startsWith('ERR_TLS') ||
    code.startsWith('ERR_SSL') ||
    code.startsWith('CERT_') ||
    code === 'EPROTO'
  ) {
    return [
      `no encrypted connection to ${host} came about`,
      `Check the address: host, port, https or http.${proxyHint(env)}`,
    ];
  }
  return [
    `${url} does not answer`,
    proxyHint(env) === '' ? undefined : `Check the network.${proxyHint(env)}`,
  ];
}

/** The error for an API that could not be reached. */
export function unreachable(url: string, cause: unknown, env: Environment): PetraError {
  const [reason, fix] = reasonAndFix(url, cause, env);
  return new PetraError('PetraUnreachable', `the Petra API cannot be reached: ${reason}`, {
    cause,
    ...(fix === undefined ? {} : { fix }),
  });
}
