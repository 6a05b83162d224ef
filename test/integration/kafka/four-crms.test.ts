import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { NewRecord } from '../../../src/log/port.ts';
import { activateSets } from '../../../src/runtime/activate-sets.ts';
import { followControl } from '../../../src/runtime/control.ts';
import { lagOf, totalLag } from '../../../src/runtime/lag.ts';
import { scratchDirectory, until } from '../../support/cli.ts';
import { connectorsOn, imagesOn, ownOf, posturesOn, SOURCES, toldBy } from '../../support/crm-on-log.ts';
import { CRMS } from '../../support/crm-pipeline.ts';
import { openTestCluster, reasonWithoutKafka, type TestCluster } from '../../support/kafka.ts';
import { installOn } from '../../support/kafka-installation.ts';
import { recordsOf } from '../../support/rescore.ts';
import { compile, shippedSets, workOn } from '../../support/test-worker.ts';

const reason = reasonWithoutKafka();
/** Long before today: no due time of it lies within the test. */
const BOOK = { seed: 12, until: Date.UTC(2024, 6, 1), accounts: 12, deals: 40 };
/** Records of one append; connectors fill topics at the same time, so that these are taken in turns. */
const APPENDED = 200;

describe.skipIf(reason !== null)(`CRMs' events on Kafka${reason === null ? '' : `: ${reason}`}`, () => {
  const scratch = scratchDirectory();
  let cluster: TestCluster;
  beforeAll(async () => {
    cluster = await openTestCluster();
  }, 300_000);
  afterAll(async () => {
    await cluster.stop();
    scratch.remove();
  });

  it('of one history give the images and postures of the canonical history', async () => {
    const { topics, open } = await installOn(cluster.brokers, scratch.path, 2, SOURCES);
    const log = await open();
    const outside = await open();
    const sets = shippedSets((text) => text.replace(/hysteresis: \d+/, 'hysteresis: 0'));
    await activateSets(outside, topics, await followControl(outside, topics, compile), sets, { at: 0, by: 'test' });
    const worker = await workOn(log, topics, { connectors: connectorsOn(topics) });
    for (const records of inTurns(Object.values(toldBy(topics, BOOK, Date.now())))) await outside.append(records);
    await until('everything is answered', async () => totalLag(await lagOf(outside, topics)) === 0, 80_000);
    await worker.stop(20_000);

    expect((await recordsOf(outside, topics.deadLetters)).flat()).toEqual([]);
    const images = await imagesOn(outside, topics);
    const postures = await posturesOn(outside, topics);
    expect((ownOf(images, 'canonical') as unknown[]).length).toBeGreaterThan(45);
    for (const crm of CRMS) {
      expect([crm, ownOf(images, crm)]).toEqual([crm, ownOf(images, 'canonical')]);
      expect([crm, ownOf(postures, crm)]).toEqual([crm, ownOf(postures, 'canonical')]);
    }
    await log.close();
    await outside.close();
  });
});

function* inTurns(tellers: readonly (readonly NewRecord[])[]): Generator<readonly NewRecord[]> {
  const longest = Math.max(...tellers.map(({ length }) => length));
  for (let from = 0; from < longest; from += APPENDED)
    for (const records of tellers) if (from < records.length) yield records.slice(from, from + APPENDED);
}
