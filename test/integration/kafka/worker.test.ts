import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { changeRecord } from '../../../producers/changes.ts';
import { loadContracts } from '../../../schemas/contracts.ts';
import { generateBook } from '../../../src/book/generate-book.ts';
import { compileSet } from '../../../src/compiler/compile.ts';
import { encodeChange } from '../../../src/ingest/encode-change.ts';
import { openKafkaLog } from '../../../src/log/kafka/open.ts';
import { createTopics } from '../../../src/log/kafka/topics.ts';
import type { Log } from '../../../src/log/port.ts';
import { stateTopicOf, topicLayouts, topicNames } from '../../../src/log/topics.ts';
import { activateSets } from '../../../src/runtime/activate-sets.ts';
import { compileDocument } from '../../../src/runtime/compile-document.ts';
import { followControl } from '../../../src/runtime/control.ts';
import { lagOf, totalLag } from '../../../src/runtime/lag.ts';
import { startWorker, type Worker } from '../../../src/runtime/worker.ts';
import { waiverValue } from '../../../src/scoring/evidence.ts';
import { answer } from '../../../src/scoring/score.ts';
import { ROOT, scratchDirectory, until } from '../../support/cli.ts';
import { openTestCluster, reasonWithoutKafka, type TestCluster } from '../../support/kafka.ts';
import { recordsOf, rescore, textsOf, withoutOffsets } from '../../support/rescore.ts';

const reason = reasonWithoutKafka();
const contracts = loadContracts();
const compile = (document: Parameters<typeof compileDocument>[0]) => compileDocument(document, contracts);
const sets = ['deal-desk', 'pipeline-hygiene', 'renewal-risk'].map((name) => {
  const file = `${name}.yaml`;
  const { set } = compileSet(file, readFileSync(join(ROOT, 'constraint-sets', file), 'utf8'), contracts);
  if (!set) throw new Error(`${name} does not compile`);
  return set;
});

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
    const prefix = `t${randomUUID().slice(0, 8)}.`;
    const topics = topicNames(prefix);
    const settings = { brokers: cluster.brokers, clientId: 'plumbline-test' };
    const layouts = topicLayouts(topics, { partitions: 4, replication: 1 });
    await createTopics(settings, layouts);
    let opened = 0;
    const open = (): Promise<Log> =>
      openKafkaLog({
        settings,
        prefix,
        topics: layouts.map(({ name }) => name),
        directory: join(scratch.path, String(opened++)),
        stateTopicOf: (input) => stateTopicOf(topics, input),
      });
    const work = async (): Promise<{ readonly log: Log; readonly worker: Worker; stop(): Promise<void> }> => {
      const log = await open();
      const worker = await startWorker({
        log,
        topics,
        contracts,
        answer,
        compile,
        waiverValue,
        clock: Date.now,
        random: Math.random,
        pollMs: 20,
      });
      return {
        log,
        worker,
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
