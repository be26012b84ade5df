import { createHash, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Artifacts } from '../../core/ports.ts';

/** What an artifacts adapter under test needs. */
export interface ArtifactsUnderTest {
  readonly artifacts: Artifacts;
  readonly close?: () => Promise<void>;
}

/** What is true of content-addressed files in S3 through the port. */
export function artifactsContract(technology: string, open: () => Promise<ArtifactsUnderTest>): void {
  describe(`artifacts on ${technology}`, () => {
    let subject: ArtifactsUnderTest;
    beforeAll(async () => {
      subject = await open();
    });
    afterAll(async () => subject.close?.());

    it('stores a text under its sha256', async () => {
      const text = `kind: Namespace # ${randomUUID()}\n`;
      const sha256 = await subject.artifacts.store(text);
      expect(sha256).toBe(createHash('sha256').update(text).digest('hex'));
      expect(await subject.artifacts.read(sha256)).toBe(text);
    });

    it('stores the same text again under the same name', async () => {
      const text = randomUUID();
      const stored = await Promise.all([1, 2, 3].map(() => subject.artifacts.store(text)));
      expect(new Set(stored).size).toBe(1);
      expect(await subject.artifacts.store(text)).toBe(stored[0]);
    });

    it('keeps a text to the letter, however long', async () => {
      const text = `${randomUUID()} ümläut 日本語 \r\n\t`.repeat(40_000);
      expect(await subject.artifacts.read(await subject.artifacts.store(text))).toBe(text);
    });

    it('stores an empty text', async () => {
      expect(await subject.artifacts.read(await subject.artifacts.store(''))).toBe('');
    });

    it('reads nothing where nothing was stored', async () => {
      const absent = createHash('sha256').update(randomUUID()).digest('hex');
      expect(await subject.artifacts.read(absent)).toBeUndefined();
    });
  });
}
