import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    sequence: { shuffle: true },
    testTimeout: 30_000,
    // The first test on a machine that needs moto installs it.
    hookTimeout: 300_000,
    maxWorkers: 2,
    coverage: { provider: 'v8', include: ['core/**'] },
  },
});
