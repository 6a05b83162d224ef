import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { KafkaSettings } from '../../src/log/kafka/client.ts';
import { openKafkaLog } from '../../src/log/kafka/open.ts';
import type { OnRestore } from '../../src/log/kafka/restore.ts';
import { createTopics } from '../../src/log/kafka/topics.ts';
import type { Log } from '../../src/log/port.ts';
import { stateTopicOf, type Topics, topicLayouts, topicNames } from '../../src/log/topics.ts';

export interface Installation {
  readonly topics: Topics;
  readonly settings: KafkaSettings;
  readonly prefix: string;
  /** As a process of its own would: local copies lie in a directory of this name, its own unless told. */
  open(directory?: string, onRestore?: OnRestore): Promise<Log>;
  /** As `open`, by other addresses of the same cluster. */
  openBy(brokers: readonly string[]): Promise<Log>;
}

/** Topics of their own on a test cluster. @param sources of CRMs' own events, without the installation's prefix */
export async function installOn(
  brokers: readonly string[],
  directory: string,
  partitions: number,
  sources: readonly string[] = [],
): Promise<Installation> {
  const prefix = `t${randomUUID().slice(0, 8)}.`;
  const topics = topicNames(
    prefix,
    sources.map((name) => prefix + name),
  );
  const settings = { brokers, clientId: 'plumbline-test' };
  const layouts = topicLayouts(topics, { partitions, replication: 1 });
  await createTopics(settings, layouts);
  const openWith = (client: KafkaSettings, name: string = randomUUID(), onRestore: OnRestore = () => {}) =>
    openKafkaLog({
      settings: client,
      prefix,
      topics: layouts.map((layout) => layout.name),
      directory: join(directory, name),
      stateTopicOf: (input) => stateTopicOf(topics, input),
      onRestore,
    });
  return {
    topics,
    settings,
    prefix,
    open: (name, onRestore) => openWith(settings, name, onRestore),
    openBy: (others) => openWith({ ...settings, brokers: others }),
  };
}
