import { accountChanges } from '../../consumers/account-changes.ts';
import type { ChangeRecord } from '../../consumers/changes.ts';
import { dealChanges } from '../../consumers/deal-changes.ts';
import { deadLetterRecord } from '../../producers/dead-letters.ts';
import { imageRecord } from '../../producers/images.ts';
import type { Contracts } from '../../schemas/contracts.ts';
import { hasJobOfAll, resumeOfAll, takeChangeOfAll } from '../ingest/changes-of-all.ts';
import type { EntityState } from '../ingest/entity-state.ts';
import { intakeHeaders } from '../ingest/headers.ts';
import { CONTROL_KEY } from '../ingest/state-keys.ts';
import { closeImport, type IngestContext, type Ingested, ingestChange, type Origin } from '../ingest/step.ts';
import { inTrace, traceHeaders } from '../ingest/trace-context.ts';
import type { EntityKind, Fields } from '../language/contract.ts';
import { mergeInto, type Overlay, overlayOn } from '../log/overlay.ts';
import { partitionOf } from '../log/partitioner.ts';
import type { Headers, LogRecord, NewRecord, TaskInput } from '../log/port.ts';
import { textMemo } from '../log/text-memo.ts';
import type { Topics } from '../log/topics.ts';
import { jsonWire } from '../wire/json-wire.ts';
import type { Wire } from '../wire/wire.ts';
import type { ControlFollower } from './control.ts';
import { derivedChange } from './derived-change.ts';
import { deadLetterCause } from './failure.ts';
import type { Health } from './health.ts';
import { outputName } from './output-name.ts';
import type { Stage, Taken } from './stage.ts';

export interface IngestStageParts {
  readonly topics: Topics;
  readonly contracts: Contracts;
  readonly partitionsOf: (topic: string) => number;
  readonly control: ControlFollower;
  /** RFC 8785 JSON of what a waiver pins; null where the set has no such constraint, or it can't be waived. */
  readonly waiverValue: (
    set: ReturnType<ControlFollower['viewAt']>['sets']['deal'][number]['active'],
    constraint: string,
    fields: Fields,
  ) => string | null;
  readonly health: Health;
  /** JSON unless given. */
  readonly wire?: Wire;
}

/** Entities of one task whose decoded state stays in memory: at most about 12 MB. */
const REMEMBERED_ENTITIES = 2_000;

/** INGEST: a partition of canonical changes becomes images. */
export function ingestStage(parts: IngestStageParts, entity: EntityKind, partition: number): Stage {
  const { topics, contracts, health, control, wire = jsonWire } = parts;
  const consumer = entity === 'deal' ? dealChanges : accountChanges;
  const topic = consumer.topic(topics);
  const input: TaskInput = { stage: 'ingest', topic, partition };
  const partitions = parts.partitionsOf(topic);
  const imagesPartitions = parts.partitionsOf(topics.images);
  const context: IngestContext = {
    contracts,
    imagesPartitionOf: (key) => partitionOf(key, imagesPartitions),
    imagesPartitions,
    memo: textMemo<EntityState>(REMEMBERED_ENTITIES),
    pinnedValue(kind, name, constraint, fields) {
      const sets = control.viewAt(control.offset).sets[kind];
      const found = sets.find(({ active }) => active.name === name);
      return found === undefined ? null : parts.waiverValue(found.active, constraint, fields);
    },
  };

  function ingest(
    state: Overlay,
    decoded: Exclude<ChangeRecord, { kind: 'of_all' }>,
    origin: Origin,
    trace: Headers,
  ): readonly NewRecord[] {
    const fork = overlayOn(state);
    const ingested: Ingested =
      decoded.kind === 'close_import'
        ? closeImport(fork, decoded.importId, origin, context)
        : ingestChange(fork, { ...decoded, origin }, context);
    mergeInto(state, fork);
    if (ingested.dropped !== null) health.count(`ingest.dropped.${ingested.dropped}`);
    health.count('ingest.images', ingested.images.length);
    return ingested.images.map((image) => inTrace(imageRecord(topics, image, wire), trace));
  }

  /** A page of the entities that are all gone: their deletes come back as changes of this partition. */
  function goOnOfAll(state: Overlay): Taken {
    const { deletes, intake } = resumeOfAll(state, entity);
    return {
      outputs: deletes.map((change) => ({
        ...derivedChange(topics, input, change, contracts, intake, wire),
        partition,
      })),
      isUnfinished: hasJobOfAll(state),
    };
  }

  return {
    input,
    prepare(state, _position, facts = Number.POSITIVE_INFINITY) {
      if (hasJobOfAll(state)) return goOnOfAll(state);
      const offset = Math.min(control.offset, facts);
      const known = Number(state.get(CONTROL_KEY) ?? 0);
      if (known > control.offset) control.viewAt(known);
      if (known >= offset) return null;
      state.set(CONTROL_KEY, String(offset));
      return { outputs: [], isUnfinished: false };
    },
    take(state, record): Taken {
      health.count('ingest.records');
      const origin = { topic, partition, offset: record.offset };
      try {
        const decoded = consumer.decode(record, contracts, wire);
        if (decoded.kind === 'of_all') {
          takeChangeOfAll(state, decoded.change, decoded.intake);
          return { outputs: [], isUnfinished: hasJobOfAll(state) };
        }
        const right = decoded.kind === 'change' ? partitionOf(decoded.change.id, partitions) : partition;
        if (right !== partition && decoded.kind === 'change') {
          health.count('ingest.moved');
          return { outputs: [moved(record, decoded, right)], isUnfinished: false };
        }
        return { outputs: ingest(state, decoded, origin, traceHeaders(record.headers)), isUnfinished: false };
      } catch (error) {
        const cause = deadLetterCause(error);
        health.count(`ingest.dead_letters.${cause.code}`);
        return {
          outputs: [deadLetterRecord(topics, record, { from: origin, stage: 'ingest', ...cause })],
          isUnfinished: false,
        };
      }
    },
    nextDue: () => null,
    fireDue: () => NOTHING,
    history: {
      points: [],
      factsTakenIn: (state) => [{ inputOffset: 0, controlOffset: Number(state.get(CONTROL_KEY) ?? 0) }],
      pointOf: () => null,
      fireDueOf: () => NOTHING,
      nameOf: (output) => outputName(topics, wire, input, output),
    },
  };
}

const NOTHING: Taken = { outputs: [], isUnfinished: false };

/** A producer with another partitioner put it here. Its time of intake goes with it. */
function moved(record: LogRecord, decoded: ChangeRecord & { kind: 'change' }, partition: number): NewRecord {
  const { topic, value } = record;
  return {
    topic,
    partition,
    key: decoded.change.id,
    value,
    headers: { ...record.headers, ...intakeHeaders(decoded.intake) },
  };
}
