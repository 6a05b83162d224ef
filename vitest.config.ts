import { defineConfig } from 'vitest/config';

const project = (name: string, testTimeout: number) => ({
  test: {
    name,
    include: [`test/${name}/**/*.test.ts`],
    // These need a container engine: `npm run test:containers`.
    exclude: ['test/integration/containers/**'],
    testTimeout,
    hookTimeout: testTimeout,
  },
});

export default defineConfig({
  test: {
    projects: [
      project('unit', 20_000),
      project('integration', 120_000),
      project('simulation', 300_000),
      project('regression', 300_000),
      // Not among `npm test`: `npm run test:faults`.
      project('faults', 600_000),
    ],
    maxWorkers: 2,
  },
});
