import { join } from 'node:path';
import { startCluster } from '../deploy/kafka/cluster.ts';
import { type LogSettings, readLogSettings } from '../src/cli/log-settings.ts';
import { openKafkaLog } from '../src/log/kafka/open.ts';
import { createTopics } from '../src/log/kafka/topics.ts';
import type { Log } from '../src/log/port.ts';
import { stateTopicOf, type TopicLayout, type Topics, topicLayouts, topicNames } from '../src/log/topics.ts';
import { scratch } from './processor.ts';

/** One broker and clients share the machine, as the numbers of the facts were taken. */
export interface BenchCluster {
  readonly brokers: readonly string[];
  /** Topics of their own for one run. */
  install(name: string): Promise<Installed>;
  stop(): Promise<void>;
}

export interface Installed {
  readonly topics: Topics;
  readonly layouts: readonly TopicLayout[];
  /** As a process of its own would; `directory` holds its local copies. */
  open(directory: string): Promise<Log>;
  readonly directory: string;
  /** As `plumbline run` has them. */
  readonly settings: LogSettings;
}

export const PARTITIONS = 4;

/** A broker of KAFKA_BROKERS, else one from Maven's packages. */
export async function startBenchCluster(): Promise<BenchCluster> {
  const directory = scratch();
  const named = process.env.KAFKA_BROKERS?.split(',');
  const cluster = named
    ? { brokers: named, stop: async () => {} }
    : await startCluster({
        brokers: 1,
        directory: directory.path,
        port: 0,
        registryPort: null,
        tell: (text) => process.stderr.write(`${text} …\n`),
      });
  const { brokers } = cluster;
  let runs = 0;
  return {
    brokers,
    async install(name) {
      const prefix = `${name}-${process.pid}-${++runs}.`;
      const topics = topicNames(prefix);
      const layouts = topicLayouts(topics, { partitions: PARTITIONS, replication: 1 });
      const settings = { brokers, clientId: 'plumbline-bench' };
      await createTopics(settings, layouts);
      return {
        topics,
        layouts,
        directory: join(directory.path, `state-${prefix}`),
        settings: {
          ...readLogSettings({}, {}),
          log: 'kafka',
          data_dir: join(directory.path, `data-${prefix}`),
          kafka: {
            ...readLogSettings({}, {}).kafka,
            brokers: [...brokers],
            prefix,
            partitions: PARTITIONS,
            replication: 1,
          },
        },
        open: (place) =>
          openKafkaLog({
            settings,
            prefix,
            topics: layouts.map((layout) => layout.name),
            directory: place,
            stateTopicOf: (input) => stateTopicOf(topics, input),
          }),
      };
    },
    async stop() {
      await cluster.stop();
      directory.remove();
    },
  };
}
