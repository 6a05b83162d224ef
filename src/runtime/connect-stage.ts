import { ofAllRecords } from '../../producers/changes.ts';
import { deadLetterRecord } from '../../producers/dead-letters.ts';
import type { Contracts } from '../../schemas/contracts.ts';
import type { EventMapping } from '../connectors/mapping/event-mapping.ts';
import { type Mapped, mapEvent } from '../connectors/mapping/map-event.ts';
import type { Decoded } from '../connectors/source-event.ts';
import type { PlumblineError } from '../errors.ts';
import type { Intake } from '../ingest/change.ts';
import { refuseFuture } from '../ingest/step.ts';
import { inTrace, traceHeaders } from '../ingest/trace-context.ts';
import type { LogRecord, NewRecord, TaskInput } from '../log/port.ts';
import type { Topics } from '../log/topics.ts';
import { jsonWire } from '../wire/json-wire.ts';
import type { Wire } from '../wire/wire.ts';
import { derivedChange, markDerived } from './derived-change.ts';
import { deadLetterCause } from './failure.ts';
import type { Health } from './health.ts';
import { outputName } from './output-name.ts';
import type { Stage } from './stage.ts';

/** A topic with a CRM's own events, and what becomes of them. */
export interface Connector {
  readonly topic: string;
  readonly mapping: EventMapping;
  /** Never throws for what the record holds. @throws PlumblineError PLB-WIRE-UNPREPARED (retryable) */
  decode(record: LogRecord): Decoded;
  /** Left out where decoding needs nothing from elsewhere. */
  prefetch?(values: Iterable<Uint8Array | null>): Promise<void>;
}

export interface ConnectStageParts {
  readonly topics: Topics;
  readonly contracts: Contracts;
  readonly partitionsOf: (topic: string) => number;
  readonly health: Health;
  /** JSON unless given. */
  readonly wire?: Wire;
}

/** CONNECT: a partition of a CRM's events becomes canonical changes. Nothing of it is remembered. */
export function connectStage(parts: ConnectStageParts, connector: Connector, partition: number): Stage {
  const { topics, contracts, health, wire = jsonWire } = parts;
  const { topic, mapping } = connector;
  const input: TaskInput = { stage: 'connect', topic, partition };

  function toRecords(mapped: Mapped, intake: Intake): readonly NewRecord[] {
    switch (mapped.kind) {
      case 'ignored':
        health.count('connect.ignored');
        return [];
      case 'change':
        refuseFuture({ change: mapped.change, intake });
        return [derivedChange(topics, input, mapped.change, contracts, intake, wire)];
      case 'of_all':
        health.count(`connect.of_all.${mapped.change.op}`);
        return ofAllRecords(topics, parts.partitionsOf, mapped.entity, mapped.change, intake).map((record) =>
          markDerived(record, input, mapped.change.eventId),
        );
    }
  }

  return {
    input,
    ...(connector.prefetch === undefined ? {} : { prefetch: connector.prefetch }),
    prepare: () => null,
    take(_state, record) {
      health.count('connect.records');
      const trace = traceHeaders(record.headers);
      const intake: Intake = { kind: 'live', atMs: record.timestampMs };
      const outputs: NewRecord[] = [];
      const failures: { readonly code: string; readonly message: string }[] = [];
      const attempt = (work: () => void): void => {
        try {
          work();
        } catch (error) {
          failures.push(deadLetterCause(error));
        }
      };
      attempt(() => {
        const { events, failures: unread, ignored } = connector.decode(record);
        health.count('connect.ignored', ignored);
        failures.push(...unread.map(causeOf));
        for (const event of events)
          attempt(() => outputs.push(...toRecords(mapEvent(mapping, event, contracts), intake)));
      });
      health.count('connect.changes', outputs.length);
      const [first] = failures;
      if (first !== undefined) {
        for (const { code } of failures) health.count(`connect.dead_letters.${code}`);
        outputs.push(deadLetter(record, first, failures.length));
      }
      return { outputs: outputs.map((output) => inTrace(output, trace)), isUnfinished: false };
    },
    nextDue: () => null,
    fireDue: () => ({ outputs: [], isUnfinished: false }),
    history: {
      points: [],
      factsTakenIn: () => [],
      pointOf: () => null,
      fireDueOf: () => ({ outputs: [], isUnfinished: false }),
      nameOf: (output) => outputName(topics, wire, input, output),
    },
  };

  /** The record as it came, once, whatever is wrong in it: redriven, what was good in it is known and dropped. */
  function deadLetter(
    record: LogRecord,
    { code, message }: { readonly code: string; readonly message: string },
    count: number,
  ): NewRecord {
    const from = { topic, partition, offset: record.offset };
    const more = count > 1 ? `${message} (and ${count - 1} more in this record)` : message;
    return deadLetterRecord(topics, record, { from, stage: 'connect', code, message: more });
  }
}

const causeOf = ({ code, message }: PlumblineError) => ({ code, message });
