import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    sequence: { shuffle: true },
    testTimeout: 30_000,
    maxWorkers: 2,
    coverage: { provider: 'v8', include: ['core/**'] },
  },
});
