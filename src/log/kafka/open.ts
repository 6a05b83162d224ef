import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { unavailable } from '../errors.ts';
import { choosePartition, groupName, taskName } from '../place.ts';
import type { Log, TaskInput, TaskSession } from '../port.ts';
import { type KafkaSettings, makeClient } from './client.ts';
import { within } from './deadline.ts';
import { asPortError } from './failure.ts';
import { joinGroup, topicsIn } from './membership.ts';
import { openReader } from './reader.ts';
import type { OnRestore } from './restore.ts';
import { openSender } from './sender.ts';
import { serial } from './serial.ts';
import { openKafkaSession, type SessionParts } from './session.ts';
import { type MakeProducer, openTransactor, type Transactor } from './transactions.ts';

export interface KafkaLogOptions {
  readonly settings: KafkaSettings;
  /** Every topic that is read or written, changelogs included. */
  readonly topics: readonly string[];
  /** Tells installations on one cluster apart: in groups and transactional ids. */
  readonly prefix: string;
  /** Local copies of the tasks' states lie in it. */
  readonly directory: string;
  /** The changelog of a task; as many partitions as its input. */
  readonly stateTopicOf: (input: TaskInput) => string;
  readonly onAppend?: (topics: ReadonlySet<string>) => void;
  readonly onRestore?: OnRestore;
}

const ADMIN_TIMEOUT_MS = 15_000;

/** Opens the log on a cluster. The topics must be there. @throws PlumblineError PLB-LOG-UNAVAILABLE, PLB-LOG-DENIED */
export async function openKafkaLog(options: KafkaLogOptions): Promise<Log> {
  const { settings, prefix } = options;
  const reader = await openReader(settings, options.topics);
  const admin = makeClient(settings, (kafka) => kafka.admin({ retry: { retries: 5 } }));
  try {
    await within(ADMIN_TIMEOUT_MS, 'connecting', admin.connect());
  } catch (error) {
    await reader.close();
    throw asPortError(error, { doing: 'connecting' });
  }

  let isClosed = false;
  const fetchOffsets = serial(async (groupId: string, topic: string) => {
    // Whoever gave up leaves others in the queue, and kafkajs would connect anew for each.
    if (isClosed) throw unavailable('it is closed');
    const doing = `asking for the offsets of ${topic}`;
    return within(ADMIN_TIMEOUT_MS, doing, admin.fetchOffsets({ groupId, topics: [topic] }));
  });

  const makeProducer: MakeProducer = (more) =>
    makeClient(settings, (kafka) =>
      kafka.producer({
        allowAutoTopicCreation: false,
        // Every record comes with its partition (see choosePartition).
        createPartitioner:
          () =>
          ({ message }) =>
            message.partition ?? 0,
        ...more,
      }),
    );
  const transactors = async (transactionalId: string): Promise<Transactor> => {
    try {
      return await openTransactor(makeProducer, transactionalId, (topic) => reader.partitionsOf(topic));
    } catch (error) {
      const reason = await reader.reasonOf(error, 'transaction', transactionalId);
      throw asPortError(reason, { doing: `opening the producer \`${transactionalId}\`` });
    }
  };

  const workers = `${prefix}plumbline-workers`;
  const groupOf = (input: TaskInput): string => groupName(prefix, input);
  const parts: SessionParts = {
    reader,
    openTransactor: transactors,
    stateTopicOf: options.stateTopicOf,
    stateFileOf: (input) => join(options.directory, 'state', `${taskName(input).replaceAll('/', '-')}.sqlite`),
    groupOf,
    transactionalIdOf: (input) => `${prefix}plumbline-${taskName(input)}`,
    async committed(groupId, topic, partition) {
      const doing = `asking for the offset of ${topic}/${partition} in the group \`${groupId}\``;
      try {
        const offsets = await fetchOffsets(groupId, topic);
        const found = offsets[0]?.partitions.find((one) => one.partition === partition);
        const offset = Number(found?.offset ?? -1);
        return { offset: offset < 0 ? null : offset, metadata: found?.metadata ?? '' };
      } catch (error) {
        throw asPortError(await reader.reasonOf(error, 'group', groupId), { doing });
      }
    },
    ...(options.onAppend === undefined ? {} : { onAppend: options.onAppend }),
    ...(options.onRestore === undefined ? {} : { onRestore: options.onRestore }),
  };

  /** One a task: who opens it again in this process ends its own hold before. */
  const sessions = new Map<string, TaskSession>();

  const senders = async () => {
    try {
      return await openSender(makeProducer, (topic) => reader.partitionsOf(topic));
    } catch (error) {
      throw asPortError(error, { doing: 'opening a producer' });
    }
  };
  /** Appends of this process go through one producer of either kind, one after the other. */
  const appender = openAppender(() => transactors(`${prefix}plumbline-append-${randomUUID()}`));
  const singles = openAppender(senders);

  return {
    partitionsOf: (topic) => reader.partitionsOf(topic),
    async append(records) {
      if (records.length === 0) return [];
      // Places are chosen first: a record that has none must leave nothing behind.
      for (const record of records) choosePartition(record, reader.partitionsOf(record.topic));
      const [single, ...others] = records;
      const placed =
        single !== undefined && others.length === 0
          ? [await singles.append((sender) => sender.send(single))]
          : await appender.append((transactor) => transactor.commit(records, null));
      options.onAppend?.(new Set(records.map((record) => record.topic)));
      return placed;
    },
    read: (topic, partition, offset, limits) => reader.read(topic, partition, offset, limits),
    bounds: (topic, partition) => reader.bounds(topic, partition),
    lastEnd: (topic, partition) => reader.lastEnd(topic, partition),
    async openTask(input, rebuild) {
      const name = taskName(input);
      await sessions.get(name)?.close();
      const session = await openKafkaSession(parts, input, rebuild);
      sessions.set(name, session);
      return session;
    },
    share: (inputs, onChange, onCrash) => joinGroup(settings, workers, inputs, reader, onChange, onCrash),
    members: serial(async () => {
      const doing = `asking who is in the group \`${workers}\``;
      try {
        const { groups } = await within(ADMIN_TIMEOUT_MS, doing, admin.describeGroups([workers]));
        const [{ state, members } = { state: 'Dead', members: [] }] = groups;
        // Between two assignments the cluster doesn't tell what its members take.
        if (members.length > 0 && state !== 'Stable') return null;
        return members.map(({ memberMetadata }) => ({ topics: topicsIn(memberMetadata) }));
      } catch (error) {
        throw asPortError(await reader.reasonOf(error, 'group', workers), { doing });
      }
    }),
    async positionOf(input) {
      const { offset } = await parts.committed(groupOf(input), input.topic, input.partition);
      return offset ?? (await reader.bounds(input.topic, input.partition)).start;
    },
    async close() {
      isClosed = true;
      await Promise.allSettled([...sessions.values()].map((session) => session.close()));
      await Promise.allSettled([appender.close(), singles.close(), admin.disconnect(), reader.close()]);
    },
  };
}

interface Closable {
  close(): Promise<void>;
}

interface Appender<P extends Closable> extends Closable {
  append<T>(work: (producer: P) => Promise<T>): Promise<T>;
}

function openAppender<P extends Closable>(open: () => Promise<P>): Appender<P> {
  let producer: P | null = null;
  let last: Promise<unknown> = Promise.resolve();
  return {
    append(work) {
      const next = last.then(async () => {
        try {
          producer ??= await open();
          return await work(producer);
        } catch (error) {
          await producer?.close();
          producer = null;
          throw asPortError(error, { doing: 'appending' });
        }
      });
      last = next.catch(() => {});
      return next;
    },
    async close() {
      await last;
      await producer?.close();
    },
  };
}
