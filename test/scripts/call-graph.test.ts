import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Reach, reachOf } from '../../scripts/call-graph.ts';

/** A Petra of a few lines: two ports, one adapter for each, and steps that use them in the ways that code does. */
const files: Readonly<Record<string, string>> = {
  'package.json': '{ "type": "module" }',
  'core/ports.ts': `
    export interface Machines { launch(name: string): Promise<void>; list(): Promise<string[]>; end(): Promise<void> }
    export interface Secrets { read(name: string): Promise<string>; readonly kind: string }
    export interface KubernetesAccess { connect(text: string): Kubernetes }
    export interface Kubernetes { apply(): Promise<void> }
    export interface Ports {
      readonly machines: Machines; readonly secrets: Secrets; readonly kubernetes: KubernetesAccess;
      readonly newUid: () => string;
    }`,
  'core/steps.ts': `
    import type { Kubernetes, Machines, Ports } from './ports.ts';
    export async function direct({ machines }: Pick<Ports, 'machines'>) { await machines.launch('a'); }
    export async function closure(ports: Ports) { await each(['a'], (name) => ports.machines.launch(name)); }
    async function each(names: string[], run: (name: string) => Promise<void>) { for (const name of names) await run(name); }
    export async function handedOn(ports: Ports) { await apply([launchOf(ports.machines)]); }
    function launchOf(machines: Machines) { return machines.launch; }
    async function apply(all: ((name: string) => Promise<void>)[]) { for (const one of all) await one('a'); }
    export async function destructured({ machines: { list } }: Ports) { await list(); }
    export async function spread(ports: Ports) { await direct({ ...ports }); }
    export async function anyMember(ports: Ports, name: keyof Machines) { await ports.machines[name]('a'); }
    export async function functionPort(ports: Pick<Ports, 'newUid'>) { return ports.newUid(); }
    export async function kind(ports: Ports) { return ports.secrets.kind; }
    export async function kubernetes(ports: Ports) { await use(ports.kubernetes.connect(await ports.secrets.read('a'))); }
    async function use(api: Kubernetes) { await api.apply(); }
    export async function escaping(ports: Ports) { return JSON.stringify(ports); }
    export async function unused(ports: Ports) { const later = 1; return later; }`,
  'adapters/machines.ts': `
    import { DescribeInstancesCommand, RunInstancesCommand, TerminateInstancesCommand, paginateDescribeSubnets, EC2Client } from '@aws-sdk/client-ec2';
    import type { Machines } from '../core/ports.ts';
    export class RealMachines implements Machines {
      readonly #client = new EC2Client({});
      async launch(name: string) { await this.#subnets(); await this.#client.send(new RunInstancesCommand({ ImageId: name, MinCount: 1, MaxCount: 1 })); }
      async list() { await this.#client.send(new DescribeInstancesCommand({})); return []; }
      async end() { await this.#client.send(new TerminateInstancesCommand({ InstanceIds: [] })); }
      async #subnets() { for await (const _ of paginateDescribeSubnets({ client: this.#client }, {})); }
    }`,
  'adapters/kubernetes.ts': `
    import { HeadObjectCommand, S3Client } from '@aws-sdk/client-s3';
    import type { Kubernetes, KubernetesAccess } from '../core/ports.ts';
    export class Access implements KubernetesAccess { connect(_: string) { return new Api(); } }
    class Api implements Kubernetes { async apply() { await new S3Client({}).send(new HeadObjectCommand({ Bucket: 'a', Key: 'b' })); } }`,
  'adapters/silent.ts': `
    export class Silent { async launch(_: string) {} async list() { return []; } async end() {} }`,
  'lambdas/env.ts': `
    export function requireEnv(name: string): string { return optionalEnv(name) ?? ''; }
    export function optionalEnv(name: string): string | undefined { return process.env[name]; }`,
  'lambdas/ports.ts': `
    import { RealMachines } from '../adapters/machines.ts';
    import { Access } from '../adapters/kubernetes.ts';
    import type { Ports, Secrets } from '../core/ports.ts';
    import { optionalEnv, requireEnv } from './env.ts';
    export function ports(): Ports {
      requireEnv('TABLE'); optionalEnv('AWS_REGION');
      return { machines: new RealMachines(), secrets: secrets(), kubernetes: new Access(), newUid: () => 'a' };
    }
    function secrets(): Secrets { return { kind: 'a', read: async () => optionalEnv('SECRET_KEY') ?? '' }; }
    export function other(name: string) { return requireEnv(name); }`,
};

const steps = [
  'direct',
  'closure',
  'handedOn',
  'destructured',
  'spread',
  'anyMember',
  'functionPort',
  'kind',
  'kubernetes',
  'unused',
];

let folder: string;
let reach: Map<string, Reach>;

beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'petra-call-graph-'));
  symlinkSync(path.join(import.meta.dirname, '../../node_modules'), path.join(folder, 'node_modules'));
  for (const [file, text] of Object.entries(files)) write(file, text);
  const handlers = steps.map((step) =>
    handler(step, `export const handler = () => ${step}(ports()${step === 'anyMember' ? ", 'list'" : ''});`),
  );
  reach = reachOf(handlers, { root: folder });
});

afterAll(() => rmSync(folder, { recursive: true }));

function write(file: string, text: string): void {
  mkdirSync(path.join(folder, path.dirname(file)), { recursive: true });
  writeFileSync(path.join(folder, file), text);
}

function handler(step: string, body: string): string {
  const file = `lambdas/verb/${step}.ts`;
  write(
    file,
    `import { ${step} } from '../../core/steps.ts';\nimport { other, ports } from '../ports.ts';\n${body}\nexport type Other = typeof other;`,
  );
  return file;
}

function of(step: string): Reach {
  const found = reach.get(`lambdas/verb/${step}.ts`);
  if (!found) throw new Error(`${step} was not looked at`);
  return found;
}

describe('a call is followed', () => {
  test.each(['direct', 'closure', 'handedOn', 'spread'])('%s', (step) => {
    expect(of(step).calls).toEqual(['machines.launch']);
    expect(of(step).actions).toEqual(['ec2:DescribeSubnets', 'ec2:RunInstances']);
  });

  test('through a destructured port', () => {
    expect(of('destructured').calls).toEqual(['machines.list']);
    expect(of('destructured').actions).toEqual(['ec2:DescribeInstances']);
  });

  test('to every member, when the name is computed', () => {
    expect(of('anyMember').calls).toEqual(['machines.end', 'machines.launch', 'machines.list']);
  });

  test('through a port that another port makes', () => {
    expect(of('kubernetes').calls).toEqual(['kubernetes.apply', 'kubernetes.connect', 'secrets.read']);
    expect(of('kubernetes').actions).toEqual(['s3:GetObject']);
  });

  test('to a port that is a function', () => {
    expect(of('functionPort').calls).toEqual(['newUid']);
  });
});

test('what a port says of itself is no call, and a port that is only held is none', () => {
  expect(of('kind').calls).toEqual([]);
  expect(of('unused')).toEqual({ calls: [], actions: [], variables: ['SECRET_KEY', 'TABLE'] });
});

test('a port that goes where it cannot be followed is an error, not a gap', () => {
  const file = handler('escaping', 'export const handler = () => escaping(ports());');
  expect(() => reachOf([file], { root: folder })).toThrow(
    /core\/steps\.ts:\d+: a port is passed on without its type/,
  );
});

test('a class that is a port without saying so is an error', () => {
  const file = handler('direct', 'export const handler = () => direct({ machines: new Silent() });');
  write(
    file,
    `${readFileSync(path.join(folder, file), 'utf8')}\nimport { Silent } from '../../adapters/silent.ts';`,
  );
  expect(() => reachOf([file], { root: folder })).toThrow(/implements machines\.launch is not known/);
});

test('a variable whose name is computed is an error', () => {
  const file = handler('unused', "export const handler = () => [unused, other('A')];");
  expect(() => reachOf([file], { root: folder })).toThrow(
    /lambdas\/ports\.ts:\d+: the name of a variable is not a literal/,
  );
});
