import { defineConfig } from 'vitest/config';

/** `npm run test:containers`: what needs a broker, on brokers in containers, and the containers of docker-compose.yml. */
export default defineConfig({
  test: {
    include: [
      'test/integration/log/kafka.test.ts',
      'test/integration/kafka/*.test.ts',
      'test/integration/containers/*.test.ts',
    ],
    env: { PLUMBLINE_TEST_KAFKA: 'containers' },
    testTimeout: 300_000,
    hookTimeout: 600_000,
    fileParallelism: false,
  },
});
