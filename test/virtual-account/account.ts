// A whole virtual account: moto with everything around it, and Petra's stack deployed into it by the CDK.

import { appendFileSync, mkdirSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DescribeInstancesCommand } from '@aws-sdk/client-ec2';
import { connectEc2 } from '../../adapters/ec2-client.ts';
import { connectIam } from '../../adapters/iam-client.ts';
import { perRegion } from '../../adapters/per-region.ts';
import { connectSecretsManager } from '../../adapters/secrets-manager-client.ts';
import { Certificates } from '../../local/kubernetes/certificates.ts';
import { type Moto, motoAccount, startMoto } from '../moto/start-moto.ts';
import type { OpenKubernetes } from './account-kubernetes.ts';
import { ApiFront, type Caller } from './api-front.ts';
import { type CallerName, readCallers } from './callers.ts';
import {
  deploy,
  endpointServices,
  nodeRoleOf,
  prepareBootstrap,
  runLogged,
  tellWhereTheApiIs,
} from './deploy-stack.ts';
import { type DeployedFunction, readDeployedFunctions } from './deployed-functions.ts';
import { DeployedPolicies, keysFrom } from './deployed-policies.ts';
import { Edge } from './edge.ts';
import { FunctionProcesses } from './function-processes.ts';
import { LambdaHost } from './lambda-host.ts';
import { ManagementNodes } from './management-nodes.ts';
import { MotoCalls } from './moto-calls.ts';
import {
  clientTokens,
  describeInstanceInformation,
  getServiceQuota,
  simulatePrincipalPolicy,
} from './moto-gaps.ts';
import { region, repository, stackName } from './places.ts';
import { type Principal, Principals } from './principals.ts';
import { type FindRelease, ReleaseMirror } from './release-mirror.ts';

export interface VirtualAccount {
  readonly folder: string;
  readonly moto: Moto;
  readonly edge: Edge;
  readonly host: LambdaHost;
  readonly front: ApiFront;
  readonly mirror: ReleaseMirror;
  readonly functions: readonly DeployedFunction[];
  readonly policies: DeployedPolicies;
  readonly processes: FunctionProcesses;
  readonly callers: Readonly<Record<CallerName, Caller>>;
  readonly apiUrl: string;
  readonly seconds: { readonly moto: number; readonly build: number; readonly deploy: number };
  log(line: string): void;
  /** Ends everything; the folder with the logs stays unless it is not wanted any more. */
  stop(options: { readonly keepFolder: boolean }): Promise<void>;
}

/** What an account is made with. */
export interface AccountParts {
  readonly kubernetes: OpenKubernetes;
  readonly releases: FindRelease;
  /** Waits and retries of state machines are this much faster. */
  readonly speed: number;
  /** Further environment of moto. */
  readonly moto?: Readonly<Record<string, string>>;
  /** How many invocations of one function run at once; as many as come when absent. */
  readonly functionsAtOnce?: number;
  /** Where the account's own folder goes; where temporary folders are when absent. */
  readonly parent?: string;
}

/** Starts everything and deploys the stack. What was started is ended again when something fails. */
export async function openVirtualAccount(
  parts: AccountParts,
  say: (line: string) => void,
): Promise<VirtualAccount> {
  const folder = await mkdtemp(path.join(parts.parent ?? tmpdir(), 'petra-virtual-account-'));
  const closers: (() => Promise<unknown>)[] = [];
  const stop = async ({ keepFolder }: { readonly keepFolder: boolean }) => {
    for (const close of closers.toReversed()) await close();
    if (!keepFolder) await rm(folder, { recursive: true, force: true });
  };
  try {
    return await open(parts, folder, say, closers, stop);
  } catch (error) {
    await stop({ keepFolder: true });
    throw new Error(`the virtual account did not open; its logs are in ${folder}`, { cause: error });
  }
}

async function open(
  parts: AccountParts,
  folder: string,
  say: (line: string) => void,
  closers: (() => Promise<unknown>)[],
  stop: VirtualAccount['stop'],
): Promise<VirtualAccount> {
  const logs = path.join(folder, 'functions');
  mkdirSync(logs);
  const log = (line: string) => {
    appendFileSync(path.join(folder, 'account.log'), `${new Date().toISOString()} ${line}\n`, {
      mode: 0o600,
    });
  };
  const host = new LambdaHost(log, parts.functionsAtOnce);
  const lambdaEndpoint = await host.start();
  closers.push(() => host.stop());

  // Needs nothing of the account. Awaited below; until then its failure is nobody's.
  const bundled = runLogged(folder, 'build', [path.join(repository, 'scripts', 'build-lambdas.ts')], {});
  bundled.catch(() => undefined);
  let begun = Date.now();
  const since = () => {
    const seconds = (Date.now() - begun) / 1000;
    begun = Date.now();
    return seconds;
  };
  say('bundling the functions, starting moto (installed once) …');
  const moto = await startMoto({
    region,
    lambdaEndpoint,
    environment: {
      STEP_FUNCTIONS_SPEED: String(parts.speed),
      // Roles of nodes may have AWS's own policies.
      MOTO_IAM_LOAD_MANAGED_POLICIES: 'true',
      ...parts.moto,
    },
  });
  closers.push(async () => {
    await writeFile(path.join(folder, 'moto.log'), await moto.log(), { mode: 0o600 });
    await moto.stop();
  });
  const motoSeconds = since();

  const certificates = new Certificates(path.join(folder, 'mirror'));
  mkdirSync(path.join(folder, 'mirror'), { mode: 0o700 });
  const identity = await certificates.server();
  const authority = path.join(folder, 'mirror', 'ca.pem');
  await writeFile(authority, identity.authority);
  const mirror = new ReleaseMirror(parts.releases);
  const mirrorUrl = await mirror.start(identity);
  closers.push(() => mirror.stop());

  const config = (inRegion: string) => ({ ...moto.config, region: inRegion });
  const hardware = perRegion((inRegion) => connectEc2(config(inRegion)));
  const policies = new DeployedPolicies(connectIam(moto.config));
  const principals = new Principals();
  const edge = new Edge({
    upstream: moto.endpoint,
    account: motoAccount,
    principals,
    keysOf: keysFrom(hardware),
    mends: [
      simulatePrincipalPolicy((role) => policies.ofRole(role)),
      clientTokens(async (id) => {
        const request = new DescribeInstancesCommand({ InstanceIds: [id] });
        const { Reservations = [] } = await hardware(region).send(request);
        return Reservations[0]?.Instances?.[0]?.State?.Name ?? 'terminated';
      }),
      describeInstanceInformation,
      getServiceQuota,
    ],
    log,
  });
  const edgeUrl = await edge.start();
  closers.push(() => edge.stop());

  await bundled;
  const buildSeconds = since();
  say('cdk deploy --method=direct …');
  const assets = await prepareBootstrap(moto);
  await deploy(folder, moto, mirrorUrl);
  const deploySeconds = since();

  const calls = new MotoCalls(moto);
  const functions = await readDeployedFunctions(calls, {
    folder: path.join(folder, 'code'),
    nodeModules: path.join(repository, 'node_modules'),
    nameOf: (name) => name.replace(`${stackName}-`, '').replace('-', '/'),
    assets,
  });
  log(`${functions.length} functions are deployed`);

  const nodeRole = await nodeRoleOf(moto);
  const nodeStatements = await policies.ofRole(nodeRole);
  const nodeCredentials = (instanceId: string) =>
    principals.admit({
      name: 'node',
      role: nodeRole,
      statements: nodeStatements,
      keys: { 'ec2:SourceInstanceARN': [`arn:aws:ec2:${region}:${motoAccount}:instance/${instanceId}`] },
      // Its cluster is not known here by name: faults are planned for the machine.
      cluster: instanceId,
    });
  const kubernetes = await parts.kubernetes({ folder, config, edgeUrl, nodeRole, nodeCredentials, log });
  closers.push(() => kubernetes.stop());

  const statements = new Map<string, Principal['statements']>();
  for (const { roleArn } of functions) statements.set(roleArn, await policies.ofRole(roleArn));
  const reachable = await endpointServices(moto);
  const processes = new FunctionProcesses({
    principals,
    principalOf: ({ name, roleArn, arn, inVpc }) => ({
      name,
      role: roleArn,
      statements: statements.get(roleArn) ?? [],
      ...(inVpc ? { reaches: reachable } : {}),
      keys: { 'lambda:SourceFunctionArn': [arn] },
      cluster: undefined,
    }),
    openPorts: ({ inVpc }) => [portOf(edgeUrl), inVpc ? kubernetes.port : portOf(mirrorUrl)],
    edge: edgeUrl,
    region,
    logs,
    cache: path.join(folder, 'compiled'),
    authority,
  });
  host.deploy(functions, processes);

  const nodes = new ManagementNodes({
    hardware: hardware(region),
    node: (id) => {
      const settings = { endpoint: edgeUrl, region, credentials: nodeCredentials(id) };
      return { ec2: connectEc2(settings), secrets: connectSecretsManager(settings) };
    },
    kubernetes: kubernetes.nodes,
    log,
  });
  nodes.start();
  closers.push(() => nodes.stop());

  const callers = await readCallers(policies);
  const front = await ApiFront.of(calls, {
    region,
    account: motoAccount,
    functions,
    callers: Object.values(callers),
    host,
    log,
  });
  const apiUrl = await front.start();
  closers.push(() => front.stop());
  await tellWhereTheApiIs(moto, apiUrl);
  return {
    folder,
    moto,
    edge,
    host,
    front,
    mirror,
    functions,
    policies,
    processes,
    callers,
    apiUrl,
    seconds: { moto: motoSeconds, build: buildSeconds, deploy: deploySeconds },
    log,
    stop,
  };
}

function portOf(url: string): number {
  return Number(new URL(url).port);
}
