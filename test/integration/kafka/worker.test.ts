import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { changeRecord } from '../../../producers/changes.ts';
import { generateBook } from '../../../src/book/generate-book.ts';
import { encodeChange } from '../../../src/ingest/encode-change.ts';
import { activateSets } from '../../../src/runtime/activate-sets.ts';
import { followControl } from '../../../src/runtime/control.ts';
import { lagOf, totalLag } from '../../../src/runtime/lag.ts';
import { scratchDirectory, until } from '../../support/cli.ts';
import { openTestCluster, reasonWithoutKafka, type TestCluster } from '../../support/kafka.ts';
import { installOn } from '../../support/kafka-installation.ts';
import { recordsOf, rescore, textsOf, withoutOffsets } from '../../support/rescore.ts';
import { compile, contracts, shippedSets, workOn } from '../../support/test-worker.ts';

const reason = reasonWithoutKafka();
const sets = shippedSets();

describe.skipIf(reason !== null)(`workers on Kafka${reason === null ? '' : `: ${reason}`}`, () => {
  const scratch = scratchDirectory();
  let cluster: TestCluster;
  beforeAll(async () => {
    cluster = await openTestCluster();
  }, 300_000);
  afterAll(async () => {
    await cluster.stop();
    scratch.remove();
  });

  it('share the tasks, come and go, and answer each image once', async () => {
    const { topics, open } = await installOn(cluster.brokers, scratch.path, 4);
    const work = async () => {
      const log = await open();
      const worker = await workOn(log, topics);
      return {
        async stop() {
          await worker.stop(20_000);
          await log.close();
        },
      };
    };
    const outside = await open();
    await activateSets(outside, topics, await followControl(outside, topics, compile), sets, { at: 0, by: 'test' });

    const changes = [...generateBook({ seed: 7, until: Date.UTC(2026, 6, 1), accounts: 20, deals: 150 })].map(
      (change) => changeRecord(topics, change, encodeChange(change, contracts), { kind: 'import', importId: 'book' }),
    );
    const third = Math.ceil(changes.length / 3);
    const first = await work();
    await outside.append(changes.slice(0, third));
    const second = await work();
    await outside.append(changes.slice(third, 2 * third));
    await first.stop();
    await outside.append(changes.slice(2 * third));
    await until('everything is answered', async () => totalLag(await lagOf(outside, topics)) === 0, 100_000);
    await second.stop();

    const results = (await recordsOf(outside, topics.results)).map(textsOf);
    expect(results.flat().length).toBeGreaterThan(2_000);
    expect((await recordsOf(outside, topics.deadLetters)).flat()).toEqual([]);
    expect(results.map(withoutOffsets)).toEqual((await rescore(outside, topics)).map(withoutOffsets));
    await outside.close();
  });
});
