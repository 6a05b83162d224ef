import { setTimeout as sleep } from 'node:timers/promises';
import { Kafka, logLevel } from 'kafkajs';
import { changeRecord } from '../../producers/changes.ts';
import type { Contracts } from '../../schemas/contracts.ts';
import { generateBook } from '../../src/book/generate-book.ts';
import { encodeChange } from '../../src/ingest/encode-change.ts';
import { partitionOf } from '../../src/log/partitioner.ts';
import type { NewRecord } from '../../src/log/port.ts';
import type { Topics } from '../../src/log/topics.ts';
import type { Wire } from '../../src/wire/wire.ts';
import type { Chance } from '../simulation/prng.ts';

export interface BookSize {
  readonly accounts: number;
  readonly deals: number;
}

/** Poisoned records among so many good ones. */
const ONE_POISON_IN = 120;
/** Good records that another producer put on a wrong partition. */
const ONE_ASTRAY_IN = 400;
const UNTIL = Date.UTC(2026, 6, 1);

/** A book of business as records of an import that stays open, with poison and astray records among them. */
export function inputsOf(
  { topics, contracts, wire, partitions }: { topics: Topics; contracts: Contracts; wire: Wire; partitions: number },
  seed: number,
  size: BookSize,
  chance: Chance,
): readonly NewRecord[] {
  const inputs: NewRecord[] = [];
  for (const change of generateBook({ seed, until: UNTIL, ...size })) {
    const text = encodeChange(change, contracts);
    const made = changeRecord(topics, change, text, { kind: 'import', importId: 'book' }, wire);
    // The book has repeats of its own: each input is told from the others.
    const record = { ...made, headers: { ...made.headers, fed: String(inputs.length) } };
    const home = partitionOf(change.id, partitions);
    inputs.push(chance.is(1 / ONE_ASTRAY_IN) ? { ...record, partition: (home + 1) % partitions } : record);
    if (chance.is(1 / ONE_POISON_IN))
      inputs.push({ ...record, value: poison(record.value, chance), headers: { ...record.headers, poison: 'yes' } });
  }
  return inputs;
}

/** Bytes that nobody can take for a change. */
function poison(good: Uint8Array | null, chance: Chance): Uint8Array | null {
  const bytes = Buffer.from(good ?? []);
  return chance.pick([
    Buffer.from('{"event_id":'),
    Buffer.from([0xff, 0xfe, 0x00]),
    Buffer.alloc(0),
    null,
    bytes.subarray(0, Math.max(1, bytes.length >> 1)),
    // The wire format, with a schema that nobody has registered.
    Buffer.from([0, 9, 9, 9, 9, 1, 2, 3]),
    Buffer.from('{"event_id":"x","entity":"deal","id":"D","version":"1","op":"upsert"}'),
  ]);
}

const CHUNK = 100;

/**
 * Sends the inputs over a while with a plain producer: at least once each, by key where no partition is given.
 * @returns how many were sent
 */
export async function feed(
  brokers: readonly string[],
  inputs: readonly NewRecord[],
  durationMs: number,
  isOver: () => boolean,
): Promise<number> {
  const kafka = new Kafka({ clientId: 'feed', brokers: [...brokers], logLevel: logLevel.NOTHING });
  const producer = kafka.producer({ retry: { retries: 30, initialRetryTime: 100, maxRetryTime: 1_000 } });
  await producer.connect();
  const begun = Date.now();
  let sent = 0;
  try {
    for (let index = 0; index < inputs.length && !isOver(); index += CHUNK) {
      await sleep(Math.max(0, begun + (durationMs * index) / inputs.length - Date.now()));
      for (const [topic, records] of Map.groupBy(inputs.slice(index, index + CHUNK), (record) => record.topic)) {
        await producer.send({ topic, acks: -1, messages: records.map(toMessage) });
        sent += records.length;
      }
    }
  } finally {
    await producer.disconnect();
  }
  return sent;
}

const toMessage = ({ key, value, headers, partition }: NewRecord) => ({
  key,
  value: value === null ? null : Buffer.from(value),
  headers: { ...headers },
  ...(partition === undefined ? {} : { partition }),
});
