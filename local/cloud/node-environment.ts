import { parse } from 'yaml';
import { listAt, textAt } from '../../core/json-fields.ts';

/** What a management node's user data tells it about itself. */
export interface NodeEnvironment {
  readonly cluster: string;
  readonly uid: string;
  readonly region: string;
  readonly nodeName: string;
  readonly role: 'server' | 'agent';
  /** The server that starts the cluster; the others join it. */
  readonly first: boolean;
  readonly k3sVersion: string;
  readonly tokenSecret: string;
  readonly kubeconfigSecret: string;
  /** Where the others find the cluster's API. */
  readonly serverAddress: string;
}

const file = '/etc/petra/node.env';

/** Reads the node's environment file out of a `#cloud-config`, or says why there is none. */
export function readNodeEnvironment(userData: string): NodeEnvironment | { readonly problem: string } {
  if (!userData.startsWith('#cloud-config\n')) return { problem: 'user data is no #cloud-config' };
  const text = writtenFile(userData);
  if (text === undefined) return { problem: `user data does not write ${file}` };

  const values = new Map<string, string>();
  for (const line of text.split('\n')) {
    const match = /^([A-Z0-9_]+)=(.*)$/.exec(line.trim());
    if (match?.[1] !== undefined) values.set(match[1], match[2] ?? '');
  }
  const missing: string[] = [];
  const required = (name: string): string => {
    const value = values.get(name);
    if (value) return value;
    missing.push(name);
    return '';
  };
  const role = required('PETRA_NODE_ROLE');
  const first = required('PETRA_NODE_FIRST');
  const environment: NodeEnvironment = {
    cluster: required('PETRA_CLUSTER'),
    uid: required('PETRA_UID'),
    region: required('PETRA_REGION'),
    nodeName: required('PETRA_NODE_NAME'),
    role: role === 'server' ? 'server' : 'agent',
    first: first === 'true',
    k3sVersion: required('PETRA_K3S_VERSION'),
    tokenSecret: required('PETRA_TOKEN_SECRET'),
    kubeconfigSecret: required('PETRA_KUBECONFIG_SECRET'),
    serverAddress: first === 'true' ? '' : required('PETRA_SERVER_ADDRESS'),
  };
  if (missing.length > 0) return { problem: `${file} lacks ${missing.join(', ')}` };
  if (role !== 'server' && role !== 'agent')
    return { problem: `PETRA_NODE_ROLE must be server or agent, got "${role}"` };
  return environment;
}

function writtenFile(userData: string): string | undefined {
  let config: unknown;
  try {
    config = parse(userData);
  } catch {
    // cloud-init, too, goes on without the parts of a file it cannot read.
    return undefined;
  }
  const written = listAt(config, 'write_files').find((entry) => textAt(entry, 'path') === file);
  return textAt(written, 'content');
}
