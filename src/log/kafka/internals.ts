import type { Kafka } from 'kafkajs';
import type { Fetch } from './committed.ts';

/**
 * The parts of kafkajs 2.2.4 that it doesn't export and that a pull at a known offset needs: its consumer can only be
 * run as a group, commits a default offset when one is out of range, and stalls a broker behind its slowest partition.
 * The version is pinned and is the package's last; a test pins the shapes used here.
 */
export interface Cluster {
  connect(): Promise<void>;
  disconnect(): Promise<void>;
  refreshMetadata(): Promise<void>;
  refreshMetadataIfNecessary(): Promise<void>;
  addMultipleTargetTopics(topics: readonly string[]): Promise<void>;
  removeBroker(address: { readonly host?: string; readonly port?: number }): void;
  findTopicPartitionMetadata(topic: string): readonly { readonly partitionId: number; readonly leader: number }[];
  findLeaderForPartitions(
    topic: string,
    partitions: readonly number[],
  ): { readonly [nodeId: string]: readonly number[] };
  findBroker(options: { readonly nodeId: string }): Promise<Broker>;
  getNodeIds(): readonly string[];
  fetchTopicsOffset(
    topics: readonly {
      readonly topic: string;
      readonly partitions: readonly { readonly partition: number }[];
      readonly fromBeginning: boolean;
    }[],
  ): Promise<readonly { readonly partitions: readonly { readonly partition: number; readonly offset: string }[] }[]>;
}

export interface Broker {
  findGroupCoordinator(request: { readonly groupId: string; readonly coordinatorType: number }): Promise<unknown>;
  fetch(request: {
    readonly maxWaitTime: number;
    readonly minBytes: number;
    readonly maxBytes: number;
    readonly isolationLevel: number;
    readonly topics: readonly {
      readonly topic: string;
      readonly partitions: readonly {
        readonly partition: number;
        readonly fetchOffset: string;
        readonly maxBytes: number;
      }[];
    }[];
    readonly rackId: string;
  }): Promise<{
    readonly responses: readonly { readonly topicName: string; readonly partitions: readonly FetchedPartition[] }[];
  }>;
}

export const READ_COMMITTED = 1;

/** Kinds of coordinators, by number. */
export const COORDINATOR = { group: 0, transaction: 1 } as const;

/** Connections of their own, that read what is committed. */
export function makeCluster(kafka: Kafka, metadataMaxAgeMs: number): Cluster {
  const symbol = Object.getOwnPropertySymbols(kafka).find((one) => one.description === 'private:Kafka:createCluster');
  if (symbol === undefined) throw new Error('kafkajs is not the pinned version: it has no createCluster');
  const create = Reflect.get(kafka, symbol) as (options: object) => Cluster;
  return create({ metadataMaxAge: metadataMaxAgeMs, allowAutoTopicCreation: false, isolationLevel: READ_COMMITTED });
}

/** With the offset after the last record that all replicas have. */
interface FetchedPartition extends Fetch {
  readonly highWatermark: string;
}
