// User data as cloud-init reads it: unpacked, its Jinja filled in, and then YAML. What a machine would skip or fail at
// with a line in a log that nobody reads is a problem here.

import { gunzipSync } from 'node:zlib';
import { parse } from 'yaml';
import { messageOf } from '../../core/errors.ts';
import { isObject, listAt, textAt } from '../../core/json-fields.ts';

/** What EC2 takes, before base64: docs.aws.amazon.com, "Run commands when you launch an EC2 instance with user data". */
export const userDataLimitBytes = 16_384;

export interface CloudConfig {
  readonly files: ReadonlyMap<string, string>;
  readonly commands: readonly string[];
  /** In words; empty when cloud-init would do all that was meant. */
  readonly problems: readonly string[];
}

/** What cloud-init knows of the machine when it fills in Jinja: docs.cloud-init.io, "Instance metadata". */
export interface MachineMetadata {
  readonly instanceId: string;
  readonly localHostName: string;
  readonly region: string;
  readonly availabilityZone: string;
}

const jinjaHeader = /^## template: *jinja\n/;

/** Reads what was sent to EC2 as user data. */
export function readCloudConfig(sent: Buffer, machine: MachineMetadata): CloudConfig {
  const problems: string[] = [];
  if (sent.length > userDataLimitBytes)
    problems.push(`user data has ${sent.length} bytes, EC2 takes ${userDataLimitBytes}`);
  const text = unpacked(sent);
  const { rendered, unknown } = jinjaHeader.test(text)
    ? render(text.replace(jinjaHeader, ''), machine)
    : { rendered: text, unknown: [] };
  for (const mark of unknown) problems.push(`cloud-init cannot fill in ${mark}`);
  const config = rendered.startsWith('#cloud-config\n') ? parsed(rendered, problems) : undefined;
  if (!rendered.startsWith('#cloud-config\n')) problems.push('user data does not begin with #cloud-config');
  return {
    files: writtenFiles(config, problems),
    commands: listAt(config, 'runcmd').map((command) =>
      Array.isArray(command) ? command.map(String).join(' ') : String(command),
    ),
    problems,
  };
}

function unpacked(bytes: Buffer): string {
  return (bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzipSync(bytes) : bytes).toString('utf8');
}

/** Only the variables of a machine: of Jinja's language Petra uses nothing else. */
function render(
  text: string,
  machine: MachineMetadata,
): { readonly rendered: string; readonly unknown: readonly string[] } {
  const values: Readonly<Record<string, string>> = {
    'ds.meta_data.local_hostname': machine.localHostName,
    'ds.meta_data.instance_id': machine.instanceId,
    'ds.meta_data.placement.region': machine.region,
    'ds.meta_data.placement.availability_zone': machine.availabilityZone,
    'v1.local_hostname': machine.localHostName,
    'v1.instance_id': machine.instanceId,
    'v1.region': machine.region,
    'v1.availability_zone': machine.availabilityZone,
  };
  const unknown: string[] = [];
  const rendered = text.replace(/\{\{\s*(.*?)\s*\}\}|\{%.*?%\}|\{#.*?#\}/gs, (mark, name?: string) => {
    const value = name === undefined ? undefined : values[name];
    if (value === undefined) unknown.push(mark);
    return value ?? mark;
  });
  return { rendered, unknown };
}

function parsed(text: string, problems: string[]): unknown {
  try {
    const config: unknown = parse(text);
    if (isObject(config)) return config;
    problems.push('user data is no YAML object');
  } catch (error) {
    problems.push(`user data is no YAML: ${messageOf(error)}`);
  }
  return undefined;
}

function writtenFiles(config: unknown, problems: string[]): ReadonlyMap<string, string> {
  const files = new Map<string, string>();
  for (const entry of listAt(config, 'write_files')) {
    const path = textAt(entry, 'path');
    if (path === undefined) {
      problems.push('a file of the user data has no path');
      continue;
    }
    if (files.has(path)) problems.push(`${path} is written twice, the second hides the first`);
    files.set(path, decoded(textAt(entry, 'content') ?? '', textAt(entry, 'encoding'), problems));
  }
  return files;
}

function decoded(content: string, encoding: string | undefined, problems: string[]): string {
  switch (encoding) {
    case undefined:
    case 'text/plain':
      return content;
    case 'b64':
    case 'base64':
      return Buffer.from(content, 'base64').toString('utf8');
    case 'gz+b64':
    case 'gz+base64':
    case 'gzip+b64':
    case 'gzip+base64':
      return gunzipSync(Buffer.from(content, 'base64')).toString('utf8');
    default:
      problems.push(`cloud-init knows no encoding "${encoding}"`);
      return content;
  }
}
