import {
  attempt,
  describe,
  eventFailure,
  type Gathered,
  gather,
  NOTHING_SAID,
  onlyFailure,
  refuse,
} from '../event-failure.ts';
import { eventText, isObject, type Json, MAX_EVENTS, parseEvent, parseEventExactly } from '../event-text.ts';
import type { Decoded } from '../source-event.ts';
import { type Columns, connectColumns } from './columns.ts';
import { Rounded } from './position.ts';
import { tableEvent } from './table-event.ts';
import { unwrapBranches } from './unwrap-branches.ts';

/**
 * Decodes change events of Debezium's connectors for PostgreSQL, MySQL, MariaDB and SQL Server: one, or a list of them,
 * with or without the schema (`{schema, payload}`). Tombstones, heartbeats, markers of transactions, changes of a
 * table's definition and logical messages (`op: m`) are ignored.
 *
 * Never throws. Failures are PLB-EVENT-JSON, -SIZE, -SHAPE, -KIND, -VERSION, -CONNECTOR.
 */
export function decodeDebezium(value: Uint8Array | null): Decoded {
  if (value === null) return NOTHING_SAID;
  const outcome = gather();
  let decoded: Decoded = outcome;
  attempt(outcome, () => {
    const text = eventText(value);
    try {
      decoded = decodeParts(parseEvent(text), { isExact: false, isWrapped: false, columns: null, isOurs: false });
    } catch (error) {
      if (!(error instanceof Rounded)) throw error;
      decoded = decodeParts(parseEventExactly(text), { isExact: true, isWrapped: false, columns: null, isOurs: false });
    }
  });
  return outcome.failures.length > 0 ? outcome : decoded;
}

/**
 * As decodeDebezium, of what an Avro reader gives: plain objects, longs as numbers or bigint, bytes as Uint8Array,
 * branches of unions bare or as `{type: value}`. Its rows may be changed.
 * @param columns how values are made plain, see avroColumns; null leaves them as they are
 * @param isWrapped false: no branch comes as `{type: value}`
 */
export const decodeDebeziumValue = (value: unknown, columns: Columns | null = null, isWrapped = true): Decoded =>
  decodeParts(value, { isExact: true, isWrapped, columns, isOurs: true });

interface Reading {
  readonly isExact: boolean;
  readonly isWrapped: boolean;
  readonly columns: Columns | null;
  /** The rows were read for this alone, and may be changed. */
  readonly isOurs: boolean;
}

function decodeParts(document: unknown, reading: Reading): Decoded {
  const gathered = gather();
  if (!Array.isArray(document)) {
    attempt(gathered, () => readMessage(document, '', reading, gathered));
    return gathered;
  }
  if (document.length > MAX_EVENTS)
    return onlyFailure(
      eventFailure(
        'PLB-EVENT-SIZE',
        `a list has at most ${MAX_EVENTS} events, got ${document.length}`,
        '',
        'send them in smaller batches',
      ),
    );
  if (document.length === 0) return NOTHING_SAID;
  for (const [index, message] of document.entries())
    attempt(gathered, () => readMessage(message, `[${index}].`, reading, gathered));
  return gathered;
}

/** @param path of the message, empty or with its dot at the end */
function readMessage(message: unknown, path: string, reading: Reading, gathered: Gathered): void {
  if (message === null || message === undefined) {
    gathered.ignored++;
    return;
  }
  if (!isObject(message))
    return refuse('PLB-EVENT-SHAPE', `an event is ${describe(message)}, expected an object`, path.slice(0, -1));
  if ('op' in message || !('payload' in message)) return readPayload(message, path, reading.columns, reading, gathered);
  const { payload } = message;
  if (payload === null) {
    gathered.ignored++;
    return;
  }
  const payloadPath = `${path}payload`;
  if (!isObject(payload))
    return refuse('PLB-EVENT-SHAPE', `\`payload\` is ${describe(payload)}, expected an object`, payloadPath, FLATTENED);
  readPayload(payload, `${payloadPath}.`, connectColumns(message['schema']) ?? reading.columns, reading, gathered);
}

const FLATTENED =
  'a message has `op` and `source`: take the ExtractNewRecordState transformation out of the connector, it drops them';

function readPayload(raw: Json, path: string, columns: Columns | null, reading: Reading, gathered: Gathered): void {
  const payload = reading.isWrapped ? unwrapBranches(raw) : raw;
  const { op, source } = payload;
  if (typeof op === 'string' && isObject(source)) {
    const event = tableEvent(op, payload, source, { path, columns, isExact: reading.isExact, isOurs: reading.isOurs });
    if (event === null) gathered.ignored++;
    else gathered.events.push(event);
    return;
  }
  if (op === undefined && saysNothing(payload, source)) {
    gathered.ignored++;
    return;
  }
  const [name, got] = op === undefined || isObject(source) ? ['op', op] : ['source', source];
  refuse('PLB-EVENT-SHAPE', `\`${name}\` is ${describe(got)}, expected ${EXPECTED[name]}`, `${path}${name}`, FLATTENED);
}

const EXPECTED: { readonly [name: string]: string } = { op: 'a text', source: 'an object' };

/** Markers of transactions, changes of a table's definition, heartbeats. */
function saysNothing(payload: Json, source: unknown): boolean {
  const { status } = payload;
  if ((status === 'BEGIN' || status === 'END') && 'event_count' in payload) return typeof payload['id'] === 'string';
  if (isObject(source)) return 'ddl' in payload || 'tableChanges' in payload;
  return Object.keys(payload).every((name) => HEARTBEAT.has(name)) && 'ts_ms' in payload;
}

const HEARTBEAT: ReadonlySet<string> = new Set(['ts_ms', 'ts_us', 'ts_ns']);
