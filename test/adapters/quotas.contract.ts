import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Machines, Networks, QuotaName, Quotas } from '../../core/ports.ts';

/** What a quotas adapter under test needs: itself, and what uses some of them. */
export interface QuotasUnderTest {
  readonly quotas: Quotas;
  readonly machines: Machines;
  readonly networks: Networks;
  readonly region: string;
  /** A type of a standard family with two vCPUs. */
  readonly instanceType: string;
  readonly close?: () => Promise<void>;
}

const codes: Readonly<Record<QuotaName, string>> = {
  standardVcpus: 'L-1216C47A',
  elasticIps: 'L-0263D0A3',
  natGatewaysPerZone: 'L-FE5A380F',
  vpcs: 'L-F678F1CE',
  internetGateways: 'L-A4707A72',
  networkLoadBalancers: 'L-69A177A2',
};
// The keys of the table above, all of which are names.
const names = Object.keys(codes) as QuotaName[];

/** What is true of service quotas through the port. */
export function quotasContract(technology: string, open: () => Promise<QuotasUnderTest>): void {
  describe(`quotas on ${technology}`, () => {
    let subject: QuotasUnderTest;
    beforeAll(async () => {
      subject = await open();
    });
    afterAll(async () => subject.close?.());

    async function used(name: QuotaName): Promise<number | undefined> {
      return (await subject.quotas.read(subject.region, [name])).get(name)?.used;
    }

    function request(name: string) {
      return { cluster: 'contract', uid: randomUUID(), region: subject.region, name };
    }

    it('are known by code, title, limit and use', async () => {
      const quotas = await subject.quotas.read(subject.region, names);
      expect([...quotas.keys()].sort()).toEqual([...names].sort());
      for (const [name, quota] of quotas) {
        expect(quota.code).toBe(codes[name]);
        expect(quota.title.length).toBeGreaterThan(3);
        expect(quota.limit).toBeGreaterThan(0);
        expect(quota.used).toBeGreaterThanOrEqual(0);
      }
    });

    it('are only those that were asked for', async () => {
      expect([...(await subject.quotas.read(subject.region, ['vpcs'])).keys()]).toEqual(['vpcs']);
      expect((await subject.quotas.read(subject.region, [])).size).toBe(0);
    });

    it('count the vCPUs of a machine while it lives', async () => {
      const before = (await used('standardVcpus')) ?? 0;
      const { instanceType } = subject;
      const wanted = {
        ...request('agent-0'),
        role: 'agent',
        instanceType,
        userData: '#cloud-config\n',
      } as const;
      const { id } = await subject.machines.launch(wanted);
      expect(await used('standardVcpus')).toBe(before + 2);
      await subject.machines.terminate(subject.region, [id]);
      await expect.poll(() => used('standardVcpus'), { timeout: 20_000 }).toBe(before);
    });

    it('count the public address of a server until it is given back', async () => {
      const before = (await used('elasticIps')) ?? 0;
      const wanted = request('server-0');
      const { id: interfaceId } = await subject.networks.reserveInterface(wanted);
      const attached = await subject.networks.attachPublicAddress({ ...wanted, interfaceId });
      expect(await used('elasticIps')).toBe(before + 1);
      await subject.networks.releasePublicAddress(subject.region, attached?.id ?? '');
      expect(await used('elasticIps')).toBe(before);
    });
  });
}
