// The functions as they were deployed: code, handler, environment, role, limits, network. All of it is read from moto,
// so that what runs is what the template and its assets say.

import { execFile } from 'node:child_process';
import { mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { listAt, numberAt, recordAt, textAt } from '../../core/json-fields.ts';
import type { MotoCalls } from './moto-calls.ts';

const run = promisify(execFile);

export interface DeployedFunction {
  /** As AWS knows it. */
  readonly functionName: string;
  readonly arn: string;
  /** `init/launch-servers` */
  readonly name: string;
  readonly roleArn: string;
  readonly timeoutSeconds: number;
  readonly memoryMegabytes: number;
  readonly environment: Readonly<Record<string, string>>;
  readonly inVpc: boolean;
  /** The module and the export of its handler. */
  readonly bundle: string;
  readonly handler: string;
}

/** Packages that Lambda's runtime has beside the function. */
const runtimeScopes = ['@aws-sdk', '@smithy', '@aws-crypto'];

/** Reads all functions of the account and unpacks each code once under `folder`. */
export async function readDeployedFunctions(
  moto: MotoCalls,
  options: {
    readonly folder: string;
    readonly nodeModules: string;
    /** Petra's name of a function, by what AWS knows of it. */
    readonly nameOf: (functionName: string) => string;
    /** Where the deployment put the code. */
    readonly assets: string;
  },
): Promise<readonly DeployedFunction[]> {
  const { folder, nodeModules, nameOf, assets } = options;
  await mkdir(path.join(folder, 'node_modules'), { recursive: true });
  for (const scope of runtimeScopes)
    await symlink(path.join(nodeModules, scope), path.join(folder, 'node_modules', scope)).catch(
      ignoreExisting,
    );
  const unpacked = new Map<string, Promise<string>>();
  const functions: DeployedFunction[] = [];
  for (let marker: string | undefined, first = true; first || marker !== undefined; first = false) {
    const query = marker === undefined ? '' : `?Marker=${encodeURIComponent(marker)}`;
    const page = await moto.json('lambda', `/2015-03-31/functions/${query}`);
    for (const item of listAt(page, 'Functions')) {
      const functionName = textAt(item, 'FunctionName') ?? '';
      const described = await moto.json('lambda', `/2015-03-31/functions/${functionName}`);
      const location = new URL(textAt(described, 'Code', 'Location') ?? '').pathname.slice(1);
      const code =
        unpacked.get(location) ??
        moto
          .object(assets, location)
          .then((zip) => unpack(zip, path.join(folder, path.parse(location).name)));
      unpacked.set(location, code);
      const [module = '', handler = ''] = (textAt(item, 'Handler') ?? '').split('.');
      functions.push({
        functionName,
        arn: textAt(item, 'FunctionArn') ?? '',
        name: nameOf(functionName),
        roleArn: textAt(item, 'Role') ?? '',
        timeoutSeconds: numberAt(item, 'Timeout') ?? 3,
        memoryMegabytes: numberAt(item, 'MemorySize') ?? 128,
        environment: environmentOf(item),
        inVpc: listAt(item, 'VpcConfig', 'SubnetIds').length > 0,
        bundle: path.join(await code, `${module}.mjs`),
        handler,
      });
    }
    marker = textAt(page, 'NextMarker');
  }
  return functions;
}

function environmentOf(item: unknown): Readonly<Record<string, string>> {
  const variables = recordAt(item, 'Environment', 'Variables');
  return Object.fromEntries(Object.entries(variables).map(([name, value]) => [name, String(value)]));
}

async function unpack(zip: Buffer, target: string): Promise<string> {
  await rm(target, { recursive: true, force: true });
  await mkdir(target, { recursive: true });
  const file = `${target}.zip`;
  await writeFile(file, zip);
  // Python is there anyway, for moto; not every machine has unzip.
  await run('python3', ['-m', 'zipfile', '--extract', file, target]);
  await rm(file);
  return target;
}

function ignoreExisting(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EEXIST') throw error;
}
