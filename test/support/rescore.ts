import type { Log, LogRecord } from '../../src/log/port.ts';
import { openSimulatedLog } from '../../src/log/simulated/open.ts';
import { createStorage } from '../../src/log/simulated/storage.ts';
import { type Topics, topicSpecs } from '../../src/log/topics.ts';
import { lagOf, totalLag } from '../../src/runtime/lag.ts';
import { jsonView } from '../../src/wire/json-view.ts';
import { jsonWire } from '../../src/wire/json-wire.ts';
import type { Wire } from '../../src/wire/wire.ts';
import { until } from './cli.ts';
import { workOn } from './test-worker.ts';

const PAGE = { maxRecords: 500, maxBytes: 8 * 1024 * 1024 };

/** Every record of a topic, partition by partition. */
export async function recordsOf(log: Log, topic: string): Promise<readonly (readonly LogRecord[])[]> {
  const partitions: LogRecord[][] = [];
  for (let partition = 0; partition < log.partitionsOf(topic); partition++) {
    const records: LogRecord[] = [];
    let { start } = await log.bounds(topic, partition);
    for (;;) {
      const page = await log.read(topic, partition, start, PAGE);
      const last = page[page.length - 1];
      if (last === undefined) break;
      records.push(...page);
      start = last.offset + 1;
    }
    partitions.push(records);
  }
  return partitions;
}

export const textsOf = (records: readonly LogRecord[]): readonly string[] =>
  records.map((record) => Buffer.from(record.value ?? []).toString());

/** What a log's scoring tasks take in, in order; of images partition by partition. */
export interface Scorable {
  readonly sets: readonly LogRecord[];
  readonly control: readonly LogRecord[];
  readonly images: readonly LogRecord[];
}

/** The texts of what scoring gives, partition by partition. */
export interface Rescored {
  readonly results: readonly (readonly string[])[];
  readonly postures: readonly (readonly string[])[];
}

/**
 * What these records give when they are scored in one go by an independent worker on a log in memory. Only for facts
 * that all came before the first image.
 */
export async function rescoreRecords(
  { sets, control, images }: Scorable,
  topics: Topics,
  partitions: number,
  wire: Wire = jsonWire,
): Promise<Rescored> {
  const again = openSimulatedLog(createStorage(topicSpecs(topics, partitions)), { clock: Date.now });
  for (const records of [sets, control, images]) await again.append(records);
  const worker = await workOn(again, topics, { wire });
  await until('the images are scored again', async () => totalLag(await lagOf(again, topics)) === 0);
  await worker.stop(10_000);
  const view = jsonView(again, topics, wire);
  return {
    results: (await recordsOf(view, topics.results)).map(textsOf),
    postures: (await recordsOf(view, topics.postures)).map(textsOf),
  };
}

/** The results that the images, sets and facts of a log give; see rescoreRecords. */
export async function rescore(
  log: Log,
  topics: Topics,
  wire: Wire = jsonWire,
): Promise<readonly (readonly string[])[]> {
  const all = async (topic: string) => (await recordsOf(log, topic)).flat();
  const scorable = {
    sets: await all(topics.sets),
    control: await all(topics.control),
    images: await all(topics.images),
  };
  return (await rescoreRecords(scorable, topics, log.partitionsOf(topics.images), wire)).results;
}

/** Markers of transactions count as offsets on Kafka alone. */
export const withoutOffsets = (texts: readonly string[]): readonly string[] =>
  texts.map((text) => text.replace(/,"input_offset":\d+/, ''));
