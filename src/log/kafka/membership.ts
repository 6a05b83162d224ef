import { AssignerProtocol, type PartitionAssigner } from 'kafkajs';
import type { Membership, TaskInput } from '../port.ts';
import { type Assignment, assignTasks } from './assign.ts';
import { claimIn, encodeClaim } from './claim.ts';
import { type KafkaSettings, makeClient } from './client.ts';
import { within } from './deadline.ts';
import { asPortError } from './failure.ts';
import type { Reader } from './reader.ts';

const CONNECT_TIMEOUT_MS = 15_000;
const JOIN_TIMEOUT_MS = 60_000;
const SESSION_TIMEOUT_MS = 6_000;
const HEARTBEAT_MS = 1_000;
const REBALANCE_TIMEOUT_MS = 10_000;
/** A join is answered once every member has joined, at most the above; kafkajs gives it five seconds more. */
const JOIN_SILENCE_MS = 14_000;
/** A paused consumer sleeps so long between heartbeats. */
const PAUSED_WAIT_MS = 250;

/**
 * The consumer group that shares tasks among processes. It is joined for its assignments alone: its consumer is paused,
 * records are read at the offsets that the tasks' own transactions commit. A task that stays goes on while others move.
 * @param inputs those that this process runs: the topics that it subscribes to tell the others which stages these are
 * @param reader knows topics that only others take, too
 */
export async function joinGroup(
  settings: KafkaSettings,
  groupId: string,
  inputs: readonly TaskInput[],
  reader: Pick<Reader, 'partitionsOf' | 'reasonOf'>,
  onChange: (mine: readonly TaskInput[]) => void,
  onCrash: (reason: string) => void,
): Promise<Membership> {
  const topics = [...new Set(inputs.map(({ topic }) => topic))];
  const consumer = makeClient(
    settings,
    (kafka) =>
      kafka.consumer({
        groupId,
        partitionAssigners: [
          stageAssigner(
            (topic) => reader.partitionsOf(topic),
            () => mine,
          ),
        ],
        sessionTimeout: SESSION_TIMEOUT_MS,
        heartbeatInterval: HEARTBEAT_MS,
        rebalanceTimeout: REBALANCE_TIMEOUT_MS,
        maxWaitTimeInMs: PAUSED_WAIT_MS,
        metadataMaxAge: 10_000,
        retry: { initialRetryTime: 100, maxRetryTime: 1_000, retries: 10 },
      }),
    JOIN_SILENCE_MS,
  );
  let isMember = false;
  let mine: Assignment = {};
  let crash: Error | null = null;
  const joined = new Promise<void>((resolve, reject) => {
    consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
      mine = (payload as { memberAssignment: Assignment }).memberAssignment;
      onChange(inputs.filter(({ topic, partition }) => mine[topic]?.includes(partition)));
      isMember = true;
      resolve();
    });
    consumer.on(consumer.events.CRASH, ({ payload }) => {
      mine = {};
      onChange([]);
      // kafkajs starts itself again after what it takes for passing; else nobody does.
      if (payload.restart) return;
      if (isMember) return onCrash(payload.error.message);
      crash = payload.error;
      reject(crash);
    });
  });
  // It can fail while nobody waits for it yet.
  joined.catch(() => {});
  try {
    await within(CONNECT_TIMEOUT_MS, 'connecting', consumer.connect());
    await consumer.subscribe({ topics, fromBeginning: true });
    await consumer.run({ autoCommit: false, eachBatchAutoResolve: false, eachBatch: async () => {} });
    consumer.pause(topics.map((topic) => ({ topic })));
    await within(JOIN_TIMEOUT_MS, `joining ${groupId}`, joined);
  } catch (error) {
    await consumer.disconnect();
    // After a crash kafkajs's other calls only say that nothing runs.
    const reason = await reader.reasonOf(crash ?? error, 'group', groupId);
    throw asPortError(reason, { doing: `joining the group \`${groupId}\`` });
  }
  return { close: () => consumer.disconnect() };
}

const ASSIGNER = 'plumbline-same-owner';

/** @param mine what this member was given last: the one that assigns leaves it there where it can */
const stageAssigner =
  (partitionsOf: (topic: string) => number, mine: () => Assignment): PartitionAssigner =>
  () => ({
    name: ASSIGNER,
    version: 1,
    async assign({ members }) {
      const told = members.map(({ memberId, memberMetadata }) => ({
        id: memberId,
        topics: topicsIn(memberMetadata),
        had: claimIn(AssignerProtocol.MemberMetadata.decode(memberMetadata)?.userData),
      }));
      return [...assignTasks(told, partitionsOf)].map(([memberId, assignment]) => ({
        memberId,
        memberAssignment: AssignerProtocol.MemberAssignment.encode({
          version: 1,
          assignment: Object.fromEntries(Object.entries(assignment).map(([topic, all]) => [topic, [...all]])),
          userData: Buffer.alloc(0),
        }),
      }));
    },
    protocol: ({ topics }) => ({
      name: ASSIGNER,
      metadata: AssignerProtocol.MemberMetadata.encode({ version: 1, topics, userData: encodeClaim(mine()) }),
    }),
  });

/** The topics that a member subscribes to. */
export const topicsIn = (metadata: Buffer): readonly string[] =>
  AssignerProtocol.MemberMetadata.decode(metadata)?.topics ?? [];
