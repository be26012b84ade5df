import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Secrets } from '../../core/ports.ts';

/** What a secrets adapter under test needs. */
export interface SecretsUnderTest {
  readonly secrets: Secrets;
  readonly close?: () => Promise<void>;
}

// Lists of secrets follow writes with a delay, and so does the removal of a name.
const soon = { timeout: 20_000 };

/** What is true of Secrets Manager through the port. */
export function secretsContract(technology: string, open: () => Promise<SecretsUnderTest>): void {
  describe(`secrets on ${technology}`, () => {
    let subject: SecretsUnderTest;
    beforeAll(async () => {
      subject = await open();
    });
    afterAll(async () => subject.close?.());

    function secret(value: string, uid: string = randomUUID(), key = 'token') {
      return { name: `petra/${uid}/${key}`, cluster: 'contract', uid, value };
    }

    it('creates a secret once, and leaves it as it is afterwards', async () => {
      const first = secret('one');
      expect(await subject.secrets.createOnce(first)).toBe(true);
      expect(await subject.secrets.createOnce({ ...first, value: 'two' })).toBe(false);
      expect(await subject.secrets.read(first.name)).toBe('one');
    });

    it('lets one of many creations at once win, and all read its value', async () => {
      const base = secret('');
      const created = await Promise.all(
        Array.from({ length: 10 }, (_, index) =>
          subject.secrets.createOnce({ ...base, value: `value ${index}` }),
        ),
      );
      expect(created.filter(Boolean)).toHaveLength(1);
      expect(await subject.secrets.read(base.name)).toBe(`value ${created.indexOf(true)}`);
    });

    it('makes a secret by writing it, and replaces the value by writing again', async () => {
      const first = secret('one');
      await subject.secrets.put(first);
      expect(await subject.secrets.read(first.name)).toBe('one');
      await subject.secrets.put({ ...first, value: 'two' });
      expect(await subject.secrets.read(first.name)).toBe('two');
    });

    it('writes over a secret that was created', async () => {
      const first = secret('one');
      await subject.secrets.createOnce(first);
      await subject.secrets.put({ ...first, value: 'two' });
      expect(await subject.secrets.read(first.name)).toBe('two');
    });

    it('creates a secret without a value yet, to be written later', async () => {
      const empty = secret('');
      expect(await subject.secrets.createOnce(empty)).toBe(true);
      expect(await subject.secrets.createOnce(empty)).toBe(false);
      expect((await subject.secrets.read(empty.name)) ?? '').toBe('');
      await expect.poll(() => subject.secrets.list(empty.uid), soon).toEqual([empty.name]);
      await subject.secrets.put({ ...empty, value: 'kubeconfig' });
      expect(await subject.secrets.read(empty.name)).toBe('kubeconfig');
    });

    it('keeps a value to the letter', async () => {
      const value = 'apiVersion: v1\nkind: Config\n# ümläut, "quotes", \\ and 日本語\n\n';
      const kubeconfig = secret(value, randomUUID(), 'kubeconfig');
      await subject.secrets.put(kubeconfig);
      expect(await subject.secrets.read(kubeconfig.name)).toBe(value);
    });

    it('reads nothing where there is no secret', async () => {
      expect(await subject.secrets.read(`petra/${randomUUID()}/token`)).toBeUndefined();
    });

    it("lists the names of a uid's secrets, and no other's", async () => {
      const uid = randomUUID();
      const [token, kubeconfig] = [secret('a', uid), secret('b', uid, 'kubeconfig')];
      await subject.secrets.createOnce(token);
      await subject.secrets.put(kubeconfig);
      await subject.secrets.put(secret('c'));
      await expect
        .poll(async () => [...(await subject.secrets.list(uid))].sort(), soon)
        .toEqual([kubeconfig.name, token.name]);
      expect(await subject.secrets.list(randomUUID())).toEqual([]);
    });

    it('removes a secret at once, also when it is asked twice', async () => {
      const first = secret('one');
      await subject.secrets.put(first);
      await subject.secrets.remove(first.name);
      expect(await subject.secrets.read(first.name)).toBeUndefined();
      await subject.secrets.remove(first.name);
      await expect.poll(() => subject.secrets.list(first.uid), soon).toEqual([]);
    });

    it('creates a secret anew after its removal', async () => {
      const first = secret('one');
      await subject.secrets.createOnce(first);
      await subject.secrets.remove(first.name);
      // Secrets Manager removes without a window, but in the background: the name may be taken for a moment.
      await expect.poll(() => subject.secrets.createOnce({ ...first, value: 'two' }), soon).toBe(true);
      expect(await subject.secrets.read(first.name)).toBe('two');
    });
  });
}
