import { isId } from '../../ingest/id.ts';
import { describe, refuse } from '../event-failure.ts';
import { eventIdOf } from '../event-id.ts';
import { isObject, type Json } from '../event-text.ts';
import type { SourceEvent } from '../source-event.ts';
import type { Columns } from './columns.ts';
import { CONNECTORS, type Connector, positionOf, type SourcePlace } from './position.ts';
import { readRow } from './row.ts';

export interface MessagePlace extends SourcePlace {
  readonly columns: Columns | null;
  /** See readRow. */
  readonly isOurs: boolean;
}

/** Years of Date. */
const MAX_TIME_MS = 8.64e15;

/**
 * What one message says of a table; null where it says nothing of a row. Rows of one snapshot share their place in the
 * log, and so their event id: it tells the events of one row apart, which are all that a mapping keeps together.
 * @throws PlumblineError PLB-EVENT-SHAPE, -KIND, -VERSION, -CONNECTOR; Rounded where a number may have lost digits
 */
export function tableEvent(op: string, payload: Json, source: Json, place: MessagePlace): SourceEvent | null {
  const connector = connectorOf(source, place.path);
  if (op === 'm') return null;
  if (op !== 'c' && op !== 'u' && op !== 'd' && op !== 'r' && op !== 't')
    return refuse('PLB-EVENT-KIND', `\`op\` is ${describe(op)}, expected c, u, d, r, t or m`, `${place.path}op`);
  const object = tableOf(connector, source, place.path);
  const version = positionOf(connector, source, isSnapshot(op, source, place.path), place);
  const base = {
    object,
    eventId: eventIdOf(`${serverOf(source)}:${object}:${version}:${op}`),
    version,
    changedAt: changedAtOf(payload, source, place.path),
  };
  if (op === 't') return { kind: 'truncated', ...base };
  if (op === 'd') {
    const { values } = readRow(rowOf(payload, 'before', place.path), place.columns, place.isExact, place.isOurs);
    return { kind: 'deleted', ...base, id: null, values, mergedInto: null };
  }
  const { values, isWhole } = readRow(rowOf(payload, 'after', place.path), place.columns, place.isExact, place.isOurs);
  return { kind: 'set', ...base, id: null, values, changed: null, wholeAsOf: isWhole ? version : null };
}

function connectorOf(source: Json, path: string): Connector {
  const value = source['connector'];
  const known = CONNECTORS.find((one) => one === value);
  if (known !== undefined) return known;
  if (typeof value !== 'string')
    return refuse(
      'PLB-EVENT-SHAPE',
      `\`source.connector\` is ${describe(value)}, expected a text`,
      `${path}source.connector`,
    );
  return refuse(
    'PLB-EVENT-CONNECTOR',
    `events of the connector ${describe(value)} are not taken, expected ${CONNECTORS.join(', ')}`,
    `${path}source.connector`,
    'bring them into a form of your own, and send canonical changes',
  );
}

/** `schema.table`; MySQL has no schemas: `db.table`. */
function tableOf(connector: Connector, source: Json, path: string): string {
  const within = connector === 'mysql' || connector === 'mariadb' ? 'db' : 'schema';
  return `${name(source, within, path)}.${name(source, 'table', path)}`;
}

function name(source: Json, member: string, path: string): string {
  const value = source[member];
  if (typeof value === 'string' && isId(value)) return value;
  return refuse(
    'PLB-EVENT-SHAPE',
    `\`source.${member}\` is ${describe(value)}, expected a name`,
    `${path}source.${member}`,
  );
}

const serverOf = (source: Json): string => (typeof source['name'] === 'string' ? source['name'] : '');

/** A boolean in old versions, later a text: `true`, `first`, `last`, `incremental`, …; `false` or nothing is the stream. */
function isSnapshot(op: string, source: Json, path: string): boolean {
  const value = source['snapshot'] ?? false;
  if (typeof value !== 'boolean' && typeof value !== 'string')
    return refuse(
      'PLB-EVENT-SHAPE',
      `\`source.snapshot\` is ${describe(value)}, expected a boolean or a text`,
      `${path}source.snapshot`,
    );
  return op === 'r' || !(value === false || value === 'false');
}

/** Snapshots of some versions have no time of the change, or 0: then that of processing. */
function changedAtOf(payload: Json, source: Json, path: string): number {
  for (const value of [source['ts_ms'], payload['ts_ms']]) {
    const ms = typeof value === 'bigint' ? Number(value) : value;
    if (typeof ms === 'number' && Number.isInteger(ms) && ms > 0 && ms <= MAX_TIME_MS) return ms;
  }
  return refuse(
    'PLB-EVENT-SHAPE',
    `\`source.ts_ms\` is ${describe(source['ts_ms'])}, expected milliseconds`,
    `${path}source.ts_ms`,
  );
}

function rowOf(payload: Json, member: string, path: string): Json {
  const row = payload[member];
  if (isObject(row)) return row;
  return refuse(
    'PLB-EVENT-SHAPE',
    `\`${member}\` is ${describe(row)}, expected a row`,
    `${path}${member}`,
    member === 'before' ? 'the table needs a key, or REPLICA IDENTITY FULL: a delete has to name its row' : undefined,
  );
}
