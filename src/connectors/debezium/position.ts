import { describe, refuse } from '../event-failure.ts';
import type { Json } from '../event-text.ts';
import { wholeText } from '../order-digits.ts';

export const CONNECTORS = ['postgresql', 'mysql', 'mariadb', 'sqlserver'] as const;
export type Connector = (typeof CONNECTORS)[number];

/** PostgreSQL's lsn has 64 bits. */
const LSN_DIGITS = 20;
/** MySQL: the number in the file's name, the position in it, the row of a statement. */
const FILE_DIGITS = 10;
const POSITION_DIGITS = 11;
const ROW_DIGITS = 8;
/** SQL Server's lsn has 32 + 32 + 16 bits. */
const SQL_SERVER_LSN_DIGITS = 25;
const SERIAL_DIGITS = 4;

const OF_SNAPSHOT = '0';
const OF_STREAM = '1';

/** A number may have lost digits in the parser: the text has to be read again. */
export class Rounded extends Error {}

export const isRounded = (value: unknown): boolean =>
  typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value);

export interface SourcePlace {
  /** Of the payload, empty or with its dot at the end. */
  readonly path: string;
  /** Whole numbers beyond 2^53 come as bigint or as the text of their digits; else they may have lost some. */
  readonly isExact: boolean;
}

/**
 * The order of one row's events as a decimal number of a fixed width for each connector: the place of the change in the
 * database's own log, then 0 for a row of a snapshot and 1 for a change of the stream. So a snapshot's row is older than
 * what the stream says at the same place and later, and newer than what it said before.
 *
 * - PostgreSQL: `lsn` (20), digit. A row is locked from its change to the end of the transaction, so the next change of
 *   it is written to the log behind it. Not in order: a transaction that was open when a snapshot was taken, whose
 *   changes the snapshot does not see, though they lie before its place.
 * - MySQL, MariaDB: number of the binlog file (10), `pos` (11), `row` (8), digit. The binlog is written at the commit,
 *   in the order of commits. Not in order: another server's binlog, or one that was begun anew (`RESET MASTER`).
 * - SQL Server: `change_lsn` (25), `event_serial_no` (4), digit; of a snapshot's row `commit_lsn`, which is the end of
 *   the log when it was taken. The same locks hold as in PostgreSQL. Not in order: the open transaction, with
 *   `snapshot.isolation.mode: snapshot` alone; other modes wait for it.
 *
 * Nothing orders what lies before a restore of the database from a backup against what comes after.
 * @throws PlumblineError PLB-EVENT-VERSION; Rounded where a number may have lost digits
 */
export function positionOf(connector: Connector, source: Json, isSnapshot: boolean, place: SourcePlace): string {
  const digit = isSnapshot ? OF_SNAPSHOT : OF_STREAM;
  const whole = (name: string, width: number, missing?: string): string => wholeOf(source, name, width, place, missing);
  switch (connector) {
    case 'postgresql':
      return whole('lsn', LSN_DIGITS) + digit;
    case 'mysql':
    case 'mariadb':
      return fileNumber(source, place) + whole('pos', POSITION_DIGITS) + whole('row', ROW_DIGITS, '0') + digit;
    case 'sqlserver':
      return isSnapshot
        ? sqlServerLsn(source, 'commit_lsn', place) + '0'.repeat(SERIAL_DIGITS) + digit
        : sqlServerLsn(source, 'change_lsn', place) + whole('event_serial_no', SERIAL_DIGITS, '0') + digit;
  }
}

function wholeOf(source: Json, name: string, width: number, place: SourcePlace, missing?: string): string {
  const value = source[name] ?? missing;
  if (isRounded(value)) {
    if (!place.isExact) throw new Rounded();
    return noOrder(name, value, 'a whole number in digits', place);
  }
  if (typeof value === 'number' || typeof value === 'bigint' || typeof value === 'string') {
    const text = typeof value === 'number' ? wholeText(value) : String(value);
    if (/^\d+$/.test(text) && text.length <= width) return text.padStart(width, '0');
  }
  return noOrder(name, value, `a whole number of at most ${width} digits`, place);
}

function fileNumber(source: Json, place: SourcePlace): string {
  const file = source['file'];
  const number = typeof file === 'string' ? /\.(\d{1,10})$/.exec(file)?.[1] : undefined;
  return (
    number?.padStart(FILE_DIGITS, '0') ??
    noOrder('file', file, 'the name of a binlog file such as `mysql-bin.000003`', place)
  );
}

const LSN = /^([0-9a-f]{8}):([0-9a-f]{8}):([0-9a-f]{4})$/i;

function sqlServerLsn(source: Json, name: string, place: SourcePlace): string {
  const value = source[name];
  const parts = typeof value === 'string' ? LSN.exec(value) : null;
  if (parts === null) return noOrder(name, value, 'such as `00000027:00000ac0:0002`', place);
  return BigInt(`0x${parts[1]}${parts[2]}${parts[3]}`).toString().padStart(SQL_SERVER_LSN_DIGITS, '0');
}

const noOrder = (name: string, value: unknown, expected: string, { path }: SourcePlace): never =>
  refuse(
    'PLB-EVENT-VERSION',
    `\`source.${name}\` is ${describe(value)}, expected ${expected}: without it no order can be made`,
    `${path}source.${name}`,
  );
