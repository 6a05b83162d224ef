import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runScenario } from '../../faults/scenario.ts';
import { scratchDirectory } from '../../support/cli.ts';
import { openTestCluster, reasonWithoutKafka, type TestCluster } from '../../support/kafka.ts';

const reason = reasonWithoutKafka();
const seed = Number(process.env.PLUMBLINE_FAULT_SEED ?? 4_711);

/** The short form of `npm run test:faults`. */
describe.skipIf(reason !== null)(`faults on Kafka${reason === null ? '' : `: ${reason}`}`, () => {
  const scratch = scratchDirectory();
  let cluster: TestCluster;
  beforeAll(async () => {
    cluster = await openTestCluster();
  }, 300_000);
  afterAll(async () => {
    await cluster.stop();
    scratch.remove();
  });

  it(`of workers, and poison, break no invariant (PLUMBLINE_FAULT_SEED=${seed} replays it)`, async () => {
    const { broken, ...report } = await runScenario(
      {
        name: 'short',
        seed,
        book: { accounts: 30, deals: 250 },
        workers: 2,
        kinds: { kill_at: 6, kill: 1, freeze: 1 },
        durationMs: 15_000,
        recoveryMs: 90_000,
      },
      {
        brokers: cluster.brokers,
        workerBrokers: cluster.brokers,
        replication: 1,
        directory: scratch.path,
        tell: () => {},
      },
    );
    expect(broken).toEqual([]);
    expect(report.inputs).toBeGreaterThan(2_500);
    expect(report.kills).toBeGreaterThan(2);
    expect(report.aborted).toBeGreaterThan(0);
  }, 300_000);
});
