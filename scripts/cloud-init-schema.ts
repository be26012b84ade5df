// cloud-init's own schema of a #cloud-config. It is published nowhere but inside cloud-init, so it is taken out of Debian's
// package, once, into Petra's cache.

import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { Ajv } from 'ajv';
import { parse } from 'yaml';
import { isObject } from '../core/json-fields.ts';
import { cacheFolder } from './python-tools.ts';

const run = promisify(execFile);

const packagedAt = 'usr/lib/python3/dist-packages/cloudinit/config/schemas/schema-cloud-config-v1.json';

/** Whether the schema can be had here: it is in the cache, or apt can fetch it. */
export async function canReadCloudInitSchema(): Promise<boolean> {
  if (existsSync(cachedFile())) return true;
  return run('apt-get', ['--version']).then(
    () => true,
    () => false,
  );
}

/**
 * Reads the schema; fetches it first when it is not in the cache. Not of one pinned version: Debian keeps only the newest
 * of each of its releases. Safe to call from several processes at once.
 */
export async function readCloudInitSchema(): Promise<Readonly<Record<string, unknown>>> {
  if (!existsSync(cachedFile())) await fetchSchema();
  const schema: unknown = JSON.parse(await readFile(cachedFile(), 'utf8'));
  if (!isObject(schema)) throw new Error(`${cachedFile()} holds no schema`);
  return schema;
}

/** What cloud-init would complain of in a #cloud-config; nothing when it is right. */
export function cloudConfigProblems(
  schema: Readonly<Record<string, unknown>>,
  userData: string,
): readonly string[] {
  if (!userData.startsWith('#cloud-config\n')) return ['it does not start with #cloud-config'];
  const config: unknown = parse(userData);
  // It says that it is of draft 4, and uses nothing that is otherwise in draft 7.
  const { $schema: _, ...rest } = schema;
  const ajv = new Ajv({ allErrors: true, strict: false, validateFormats: false });
  const validate = ajv.compile(rest);
  const problems = validate(config)
    ? []
    : (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
  // The schema lets keys pass that no module of cloud-init reads.
  const known = knownKeys(schema);
  const unknown = Object.keys(isObject(config) ? config : {}).filter((key) => !known.has(key));
  return [...problems, ...unknown.map((key) => `/${key} is not known to cloud-init`)];
}

function knownKeys(schema: Readonly<Record<string, unknown>>): ReadonlySet<string> {
  const modules = isObject(schema.$defs) ? Object.values(schema.$defs) : [];
  return new Set(
    modules.flatMap((module) =>
      isObject(module) && isObject(module.properties) ? Object.keys(module.properties) : [],
    ),
  );
}

function cachedFile(): string {
  return path.join(cacheFolder(), 'cloud-init', 'schema-cloud-config-v1.json');
}

async function fetchSchema(): Promise<void> {
  const target = cachedFile();
  await mkdir(path.dirname(target), { recursive: true });
  const folder = await mkdtemp(path.join(path.dirname(target), 'fetch-'));
  try {
    await download(folder);
    const file = (await readdir(folder)).find((name) => name.endsWith('.deb'));
    if (file === undefined) throw new Error('apt-get download cloud-init left no package behind');
    await run('dpkg-deb', ['-x', path.join(folder, file), folder]);
    await rename(path.join(folder, packagedAt), target);
  } catch (error) {
    throw new Error("cloud-init's schema comes with Debian's package cloud-init, which apt could not fetch", {
      cause: error,
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function download(folder: string): Promise<void> {
  try {
    await run('apt-get', ['download', 'cloud-init'], { cwd: folder });
  } catch {
    // A machine whose lists of packages are missing or old.
    await run('apt-get', ['update']);
    await run('apt-get', ['download', 'cloud-init'], { cwd: folder });
  }
}
