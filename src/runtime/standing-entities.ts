import { decodeChangeRecord } from '../../consumers/changes.ts';
import { changeTopic } from '../../producers/changes.ts';
import type { Contracts } from '../../schemas/contracts.ts';
import { PlumblineError } from '../errors.ts';
import type { Change } from '../ingest/change.ts';
import { type Standing, standingAfter, UNKNOWN } from '../ingest/standing.ts';
import type { EntityKind } from '../language/contract.ts';
import { partitionOf } from '../log/partitioner.ts';
import type { Log, LogRecord } from '../log/port.ts';
import type { Topics } from '../log/topics.ts';
import type { Wire } from '../wire/wire.ts';
import { holdersOf } from './waiver-holders.ts';

/** Changes that wait for ingest and are looked through: more means that it stands still, or has only begun. */
const MAX_WAITING = 50_000;
const PAGE = { maxRecords: 500, maxBytes: 8 * 1024 * 1024 };

/**
 * How entities stand, by id, with what is on the log and was not taken yet: two changes that are made one after the
 * other must not have one version, for the second would be dropped.
 * @throws PlumblineError PLB-WAIVER-BEHIND (retryable)
 */
export async function standingEntities(
  log: Log,
  topics: Topics,
  wire: Wire,
  contracts: Contracts,
  entity: EntityKind,
  ids: ReadonlySet<string>,
  onImage: () => void,
): Promise<ReadonlyMap<string, Standing>> {
  const topic = changeTopic(topics, entity);
  const partitions = [...new Set([...ids].map((id) => partitionOf(id, log.partitionsOf(topic))))];
  // Before the state is read: what is taken meanwhile is then seen twice, which is no harm, and never missed.
  const positions = await Promise.all(
    partitions.map((partition) => log.positionOf({ stage: 'ingest', topic, partition })),
  );
  const standing = new Map<string, Standing>();
  for await (const { id, version, waivers } of holdersOf(log, topics, wire, { kinds: [entity], ids }, onImage))
    standing.set(id, { version, isThere: true, waived: waivers });
  let waiting = 0;
  for (const [index, partition] of partitions.entries())
    for await (const records of waitingIn(log, topic, partition, positions[index] ?? 0)) {
      waiting += records.length;
      if (waiting > MAX_WAITING)
        throw new PlumblineError('PLB-WAIVER-BEHIND', `more than ${MAX_WAITING} changes wait to be taken`, {
          retryable: true,
          hint: 'wait until `plumbline status` tells less lag',
        });
      await wire.prepare(records.map(({ value }) => value));
      for (const record of records) {
        const change = changeIn(record, entity, contracts, wire);
        if (change !== null && ids.has(change.id))
          standing.set(change.id, standingAfter(standing.get(change.id) ?? UNKNOWN, change));
      }
    }
  return standing;
}

async function* waitingIn(
  log: Log,
  topic: string,
  partition: number,
  position: number,
): AsyncGenerator<readonly LogRecord[]> {
  const { start, end } = await log.bounds(topic, partition);
  for (let offset = Math.max(start, position); offset < end; ) {
    const records = await log.read(topic, partition, offset, PAGE);
    const last = records[records.length - 1];
    if (last === undefined) return;
    offset = last.offset + 1;
    yield records;
  }
}

/** What can't be decoded becomes a dead letter and changes nothing. */
function changeIn(record: LogRecord, entity: EntityKind, contracts: Contracts, wire: Wire): Change | null {
  try {
    const decoded = decodeChangeRecord(record, entity, contracts, wire);
    return decoded.kind === 'change' ? decoded.change : null;
  } catch (error) {
    if (error instanceof PlumblineError && !error.retryable) return null;
    throw error;
  }
}
