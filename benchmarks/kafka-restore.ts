import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Kafka, logLevel } from 'kafkajs';
import type { LogSettings } from '../src/cli/log-settings.ts';
import type { TaskInput } from '../src/log/port.ts';
import { stateTopicOf } from '../src/log/topics.ts';
import { type BenchCluster, type Installed, PARTITIONS } from './kafka-cluster.ts';
import { median, medianRatio, type Row, row } from './measure.ts';

const IMAGES = Number(process.env.PLUMBLINE_BENCH_IMAGES ?? 1_000_000);
const ENTITIES_A_COMMIT = 2_000;
const ROUNDS = 3;
const LIMIT_MS = 300_000;

/** What restore-worker.ts tells. */
interface Restored {
  readonly seconds: number;
  readonly residentMb: number;
}

/** As scoring keeps an image: the entity with its answers, and its fields. */
function imageEntries(
  id: string,
  state: ReadonlyMap<'entity' | 'fields', string>,
): readonly (readonly [string, string])[] {
  return [
    [`e\u0001deal\u0001${id}`, state.get('entity') ?? ''],
    [`g\u0001deal\u0001${id}`, state.get('fields') ?? ''],
  ];
}

/**
 * The tasks of one worker restore their states from the changelog, beside a plain consumer that reads the same bytes.
 * @param samples states of real entities
 */
export async function restoreRow(
  cluster: BenchCluster,
  samples: readonly ReadonlyMap<'entity' | 'fields', string>[],
): Promise<Row> {
  const installed = await cluster.install('restore');
  const { topics } = installed;
  const inputs = Array.from(
    { length: PARTITIONS },
    (_, partition): TaskInput => ({ stage: 'score', topic: topics.images, partition }),
  );
  await write(installed, inputs, samples);
  const changelog = stateTopicOf(topics, { stage: 'score', topic: topics.images });
  const ours: number[] = [];
  const plain: number[] = [];
  let records = 0;
  let residentMb = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const restored = await restoreApart(installed, round);
    ours.push(restored.seconds);
    residentMb = Math.max(residentMb, restored.residentMb);
    const read = await readPlainly(cluster.brokers, changelog, `plain-${round}-${changelog}`);
    plain.push(read.seconds);
    records = read.records;
    process.stderr.write(`restored in ${ours[round]?.toFixed(1)} s, read in ${read.seconds.toFixed(1)} s\n`);
  }
  return row(
    `Kafka, restore of ${IMAGES.toLocaleString('en')} images: a plain consumer that reads the same bytes`,
    'images/s',
    IMAGES / median(ours),
    IMAGES / median(plain),
    medianRatio(ours, plain),
    '<= 2',
    `${records} records in ${PARTITIONS} partitions; ${residentMb.toFixed(0)} MiB resident`,
  );
}

/** As a worker that starts with an empty directory: a process of its own, so that its memory is its own. */
async function restoreApart({ settings }: Installed, round: number): Promise<Restored> {
  const own: LogSettings = { ...settings, data_dir: `${settings.data_dir}-${round}` };
  const worker = fileURLToPath(new URL('restore-worker.ts', import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [worker, JSON.stringify(own)], { timeout: LIMIT_MS });
  return JSON.parse(stdout) as Restored;
}

async function write(
  installed: Installed,
  inputs: readonly TaskInput[],
  samples: readonly ReadonlyMap<'entity' | 'fields', string>[],
): Promise<void> {
  const log = await installed.open(`${installed.directory}-write`);
  await Promise.all(
    inputs.map(async (input) => {
      const session = await log.openTask(input);
      for (let at = 0; at < IMAGES / inputs.length; at += ENTITIES_A_COMMIT) {
        const entities = Array.from({ length: ENTITIES_A_COMMIT }, (_, index) =>
          imageEntries(`D${input.partition}-${at + index}`, samples[(at + index) % samples.length] ?? new Map()),
        );
        await session.commit({ outputs: [], state: new Map(entities.flat()), nextOffset: at });
      }
      await session.close();
    }),
  );
  await log.close();
}

async function readPlainly(brokers: readonly string[], topic: string, groupId: string) {
  const kafka = new Kafka({ brokers: [...brokers], logLevel: logLevel.NOTHING });
  const admin = kafka.admin();
  await admin.connect();
  const ends = new Map((await admin.fetchTopicOffsets(topic)).map(({ partition, high }) => [partition, Number(high)]));
  await admin.disconnect();
  const consumer = kafka.consumer({ groupId, maxWaitTimeInMs: 100 });
  await consumer.connect();
  await consumer.subscribe({ topics: [topic], fromBeginning: true });
  let start = 0;
  let records = 0;
  return new Promise<{ readonly seconds: number; readonly records: number }>((resolve, reject) => {
    consumer
      .run({
        partitionsConsumedConcurrently: PARTITIONS,
        async eachBatch({ batch }) {
          if (start === 0) start = performance.now();
          for (const { key, value } of batch.messages) if (key !== null || value !== null) records++;
          // A marker ends the log: the last record lies right before it.
          if (Number(batch.lastOffset()) + 2 >= (ends.get(batch.partition) ?? 0)) ends.delete(batch.partition);
          if (ends.size > 0) return;
          const seconds = (performance.now() - start) / 1000;
          setImmediate(() => consumer.disconnect().then(() => resolve({ seconds, records }), reject));
        },
      })
      .catch(reject);
  });
}
