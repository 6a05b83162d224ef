import type { Admin } from 'kafkajs';
import type { TopicLayout } from '../topics.ts';
import { type KafkaSettings, makeKafka } from './client.ts';
import { within } from './deadline.ts';
import { asPortError } from './failure.ts';

const TIMEOUT_MS = 30_000;

async function withAdmin<T>(settings: KafkaSettings, doing: string, work: (admin: Admin) => Promise<T>): Promise<T> {
  const admin = makeKafka(settings).admin({ retry: { retries: 5 } });
  try {
    await within(TIMEOUT_MS, 'connecting', admin.connect());
    return await within(TIMEOUT_MS, doing, work(admin));
  } catch (error) {
    throw asPortError(error, { doing });
  } finally {
    await admin.disconnect().catch(() => {});
  }
}

/** Makes the topics that are not there; those that are stay as they are. @returns names of the new ones */
export const createTopics = (settings: KafkaSettings, layouts: readonly TopicLayout[]): Promise<readonly string[]> =>
  withAdmin(settings, 'creating topics', async (admin) => {
    const known = new Set(await admin.listTopics());
    const missing = layouts.filter(({ name }) => !known.has(name));
    if (missing.length === 0) return [];
    await admin.createTopics({
      waitForLeaders: true,
      timeout: TIMEOUT_MS,
      topics: missing.map(({ name, partitions, replication, config }) => ({
        topic: name,
        numPartitions: partitions,
        replicationFactor: replication,
        configEntries: Object.entries(config).map(([key, value]) => ({ name: key, value })),
      })),
    });
    return missing.map(({ name }) => name);
  });
