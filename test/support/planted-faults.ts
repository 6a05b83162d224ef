import type { Admin, Kafka, Transaction } from 'kafkajs';

/** Faults of a client that the checks have to find. */
export const PLANTS = ['offsets-outside', 'no-re-read'] as const;
export type Plant = (typeof PLANTS)[number];

type Positions = Parameters<Transaction['sendOffsets']>[0];
type Coordinator = { offsetCommit(request: object): Promise<unknown> };
type Cluster = {
  connect(): Promise<void>;
  disconnect(): Promise<void>;
  findGroupCoordinator(group: { readonly groupId: string }): Promise<Coordinator>;
};

/** `offsets-outside`: positions are committed beside the transaction and count whatever becomes of it. */
export async function commitOutside(kafka: Kafka, { consumerGroupId, topics }: Positions): Promise<void> {
  const symbol = Object.getOwnPropertySymbols(kafka).find((one) => one.description === 'private:Kafka:createCluster');
  const cluster = (Reflect.get(kafka, symbol ?? '') as (options: object) => Cluster)({});
  await cluster.connect();
  try {
    const coordinator = await cluster.findGroupCoordinator({ groupId: consumerGroupId });
    await coordinator.offsetCommit({ groupId: consumerGroupId, groupGenerationId: -1, memberId: '', topics });
  } finally {
    await cluster.disconnect();
  }
}

/** What this process knows to have committed. */
export interface Memory {
  keep(positions: Positions): void;
  find(groupId: string, topic: string, partition: number): { offset: string; metadata: string | null } | undefined;
}

export function makeMemory(): Memory {
  const kept = new Map<string, { offset: string; metadata: string | null }>();
  const keyOf = (groupId: string, topic: string, partition: number): string => `${groupId} ${topic} ${partition}`;
  return {
    keep({ consumerGroupId, topics }) {
      for (const { topic, partitions } of topics)
        for (const position of partitions) {
          // kafkajs's types know nothing of an offset's metadata.
          const { partition, offset, metadata = null } = position as typeof position & { metadata?: string };
          kept.set(keyOf(consumerGroupId, topic, partition), { offset, metadata });
        }
    },
    find: (groupId, topic, partition) => kept.get(keyOf(groupId, topic, partition)),
  };
}

/** `no-re-read`: after a fence the process trusts what it remembers, and asks the cluster only for what it doesn't. */
export function forgetful(admin: Admin, memory: Memory): Admin {
  return {
    ...admin,
    async fetchOffsets(options) {
      const answers = await admin.fetchOffsets(options);
      return answers.map(({ topic, partitions }) => ({
        topic,
        partitions: partitions.map((asked) => ({ ...asked, ...memory.find(options.groupId, topic, asked.partition) })),
      }));
    },
  };
}
