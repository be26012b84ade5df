import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { PetraError } from '../../core/errors.ts';
import { Disk } from '../../local/disk.ts';
import { Faults, faultForm, faultKinds, parseFault } from '../../local/faults.ts';

function refusalOf(text: string): PetraError {
  try {
    parseFault(text);
  } catch (error) {
    if (error instanceof PetraError) return error;
  }
  throw new Error(`${text} is not refused`);
}

function faultsOf(...texts: string[]): Faults {
  return new Faults(Disk.inMemory(), texts.map(parseFault));
}

describe('parseFault', () => {
  it.each([
    ['ec2:InsufficientInstanceCapacity:2', 'ec2:InsufficientInstanceCapacity', 2],
    ['ec2:RequestLimitExceeded:3', 'ec2:RequestLimitExceeded', 3],
    ['ec2:VcpuLimitExceeded', 'ec2:VcpuLimitExceeded', undefined],
    ['secretsmanager:ThrottlingException:1', 'secretsmanager:ThrottlingException', 1],
    ['s3:SlowDown', 's3:SlowDown', undefined],
    ['releases:Unreachable', 'releases:Unreachable', undefined],
    ['boot:never', 'boot:never', undefined],
    ['provider:infrastructure-aws', 'provider:infrastructure-aws', undefined],
    ['webhook:Cluster', 'webhook:Cluster', undefined],
    ['cluster:stuck-deleting', 'cluster:stuck-deleting', undefined],
    ['crash:create.ApplyCluster:before', 'crash:create.ApplyCluster:before', 1],
    ['crash:create.ApplyCluster:after:3', 'crash:create.ApplyCluster:after', 3],
    ['kubernetes:unreachable:4', 'kubernetes:unreachable', 4],
  ])('reads %s', (text, name, times) => {
    expect(parseFault(text)).toMatchObject({ text: name, ...(times ? { times } : {}) });
    expect(parseFault(text).times).toBe(times);
  });

  it.each([
    ['ec2:InsufficientInstanceCapcity', 'ec2:InsufficientInstanceCapacity[:TIMES]'],
    ['boot:nevr', 'boot:never'],
    ['webhook:cluster', 'webhook:KIND'],
    ['crash:create.ApplyCluster', 'crash:VERB.STATE:before|after[:TIMES]'],
    ['crash:make.ApplyCluster:before', 'crash:VERB.STATE:before|after[:TIMES]'],
  ])('refuses %s and proposes the nearest', (text, nearest) => {
    expect(refusalOf(text)).toMatchObject({
      code: 'InvalidUsage',
      message: `unknown fault "${text}"; did you mean ${nearest}?`,
    });
  });

  it('names every fault when it refuses one', () => {
    const { message, fix } = refusalOf('xyz');
    expect(message).toBe('unknown fault "xyz"');
    for (const kind of faultKinds) expect(fix).toContain(faultForm(kind));
  });

  it.each(['ec2:SlowDown:0', 'ec2:RequestLimitExceeded:0', 'boot:never:2', 'ec2:', 'ec2', ''])(
    'refuses %j',
    (text) => {
      expect(refusalOf(text).code).toBe('InvalidUsage');
    },
  );
});

describe('faults', () => {
  it('that are counted happen so many times, and then no more', () => {
    const faults = faultsOf('s3:SlowDown:2', 's3:InternalError:1');
    expect([1, 2, 3, 4].map(() => faults.take('s3'))).toEqual([
      'SlowDown',
      'SlowDown',
      'InternalError',
      undefined,
    ]);
  });

  it('without a count always happen', () => {
    const faults = faultsOf('releases:Unreachable');
    expect([1, 2, 3].map(() => faults.take('releases'))).toEqual(Array(3).fill('Unreachable'));
  });

  it('happen only to their service, and only to the call that can fail so', () => {
    const faults = faultsOf('ec2:VcpuLimitExceeded');
    expect(faults.take('s3')).toBeUndefined();
    expect(faults.take('ec2')).toBeUndefined();
    expect(faults.take('ec2', 'DescribeInstances')).toBeUndefined();
    expect(faults.take('ec2', 'RunInstances')).toBe('VcpuLimitExceeded');
  });

  it('are looked up by any of their beginnings, without being used up', () => {
    const faults = faultsOf('provider:capa', 'kubernetes:unreachable:1');
    expect(faults.active('provider')).toBe('capa');
    expect(faults.active('provider:capa')).toBe('');
    expect(faults.active('provider:ca')).toBeUndefined();
    expect(faults.active('boot')).toBeUndefined();
    expect(faults.active('kubernetes:unreachable')).toBe('');
    expect(faults.take('kubernetes')).toBe('unreachable');
    expect(faults.active('kubernetes:unreachable')).toBeUndefined();
  });

  it('crash the process at their point once', async () => {
    const faults = faultsOf('crash:init.LaunchControlPlane:after');
    expect(await faults.takeCrash('init.LaunchControlPlane', 'before')).toBe(false);
    expect(await faults.takeCrash('init.LaunchControlPlane', 'after')).toBe(true);
    expect(await faults.takeCrash('init.LaunchControlPlane', 'after')).toBe(false);
  });

  it('are over once cleared', async () => {
    const faults = faultsOf('s3:SlowDown', 'boot:never');
    await faults.clear();
    expect(faults.take('s3')).toBeUndefined();
    expect(faults.active('boot')).toBeUndefined();
  });

  it('stay counted across a restart', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'petra-faults-'));
    const asked = ['s3:SlowDown:2', 'crash:create.ApplyCluster:before'].map(parseFault);

    const first = await Disk.open(folder);
    const before = new Faults(first, asked);
    before.take('s3');
    await before.takeCrash('create.ApplyCluster', 'before');
    await first.close();

    const second = await Disk.open(folder);
    const after = new Faults(second, asked);
    expect([after.take('s3'), after.take('s3')]).toEqual(['SlowDown', undefined]);
    expect(await after.takeCrash('create.ApplyCluster', 'before')).toBe(false);
    await second.close();
    await rm(folder, { recursive: true });
  });
});
