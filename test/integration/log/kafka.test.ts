import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openKafkaLog } from '../../../src/log/kafka/open.ts';
import { createTopics } from '../../../src/log/kafka/topics.ts';
import type { TaskInput } from '../../../src/log/port.ts';
import { topicNames } from '../../../src/log/topics.ts';
import { scratchDirectory } from '../../support/cli.ts';
import { openTestCluster, reasonWithoutKafka, type TestCluster } from '../../support/kafka.ts';
import { describeLog } from './conformance.ts';

const reason = reasonWithoutKafka();
let cluster: TestCluster;
let settings: { readonly brokers: readonly string[]; readonly clientId: string };

if (reason !== null) it.skip(`the log on Kafka: ${reason}`, () => {});
else
  describe('on a real broker', () => {
    beforeAll(async () => {
      cluster = await openTestCluster();
      settings = { brokers: cluster.brokers, clientId: 'plumbline-test' };
    }, 300_000);
    afterAll(() => cluster.stop());

    async function install() {
      const prefix = `t${randomUUID().slice(0, 8)}.`;
      const topics = topicNames(prefix);
      // A broker makes the few that the suite uses faster than all.
      const used = [
        { name: topics.dealChanges, partitions: 4 },
        { name: topics.images, partitions: 4 },
        { name: topics.control, partitions: 1 },
        { name: `${prefix}state-ingest`, partitions: 4 },
        { name: `${prefix}state-score`, partitions: 4 },
      ];
      await createTopics(
        settings,
        used.map((topic) => ({ ...topic, replication: 1, config: {} })),
      );
      const scratch = scratchDirectory();
      let opened = 0;
      return {
        topics,
        open: () =>
          openKafkaLog({
            settings,
            prefix,
            topics: used.map(({ name }) => name),
            directory: join(scratch.path, String(opened++)),
            stateTopicOf: (input: TaskInput) => `${prefix}state-${input.stage}`,
          }),
        dispose: async () => scratch.remove(),
      };
    }

    it('appends one record without a transaction, which a killed process would leave open', async () => {
      const { topics, open, dispose } = await install();
      const log = await open();
      const record = { topic: topics.control, key: null, value: Buffer.from('x'), headers: {} };
      const [first] = await log.append([record]);
      const [second] = await log.append([record]);
      // A transaction ends with a marker, which takes an offset.
      expect([first?.offset, second?.offset]).toEqual([0, 1]);
      await log.close();
      await dispose();
    });

    describeLog('kafka', install, { hasMarkers: true, learnsByCommit: true, hidesState: true });
  });
