import type { Contracts } from '../../../schemas/contracts.ts';
import type { Change } from '../../ingest/change.ts';
import type { EntityKind } from '../../language/contract.ts';
import { createPrng, type Prng } from '../prng.ts';
import { DAY_MS } from '../work-time.ts';
import type { CrmRecord } from './crm-record.ts';
import { type Column, columnsOf, keySchemaOf, rowOf, valueSchemaOf } from './debezium-table.ts';
import { atLeastOnce } from './delivery.ts';
import { type RecordState, type Step, stepsOf } from './steps.ts';

/** The connector begins this long after the history does: what there is then comes as a snapshot. */
const SNAPSHOT_AFTER_DAYS = 90;
const FIRST_LSN = 34_078_720;
const TABLES: { readonly [E in EntityKind]: string } = { deal: 'deals', account: 'accounts' };

/**
 * A history as Debezium's connector for PostgreSQL tells it: rows of a snapshot, then the stream with before and after,
 * tombstones behind deletes, all with their schemas; in order and at least once. `accounts` has REPLICA IDENTITY FULL,
 * `deals` the default, which tells of the row before no more than its key.
 */
export const debeziumRecords = (
  seed: number,
  history: Iterable<Change>,
  contracts: Contracts,
): Generator<CrmRecord, void> =>
  atLeastOnce(
    messagesOf(createPrng(seed, 'debezium'), stepsOf(history, contracts), contracts),
    createPrng(seed, 'debezium-delivery'),
  );

interface Table {
  readonly name: string;
  readonly columns: readonly Column[];
  readonly keySchema: object;
  readonly valueSchema: object;
  readonly hasWholeBefore: boolean;
}

function tableOf(entity: EntityKind, contracts: Contracts): Table {
  const name = TABLES[entity];
  const columns = columnsOf(contracts[entity]);
  return {
    name,
    columns,
    keySchema: keySchemaOf(name),
    valueSchema: valueSchemaOf(name, columns),
    hasWholeBefore: entity === 'account',
  };
}

function* messagesOf(prng: Prng, steps: Iterable<Step>, contracts: Contracts): Generator<CrmRecord, void> {
  const tables = { deal: tableOf('deal', contracts), account: tableOf('account', contracts) };
  const early = new Map<string, { readonly entity: EntityKind; readonly state: RecordState }>();
  let snapshotAt: number | null = null;
  let isStreaming = false;
  let lsn = FIRST_LSN;
  let txId = 600;
  for (const step of steps) {
    snapshotAt ??= step.at + SNAPSHOT_AFTER_DAYS * DAY_MS;
    if (step.at <= snapshotAt) {
      if (step.after === null) early.delete(step.id);
      else early.set(step.id, { entity: step.entity, state: step.after });
      continue;
    }
    if (!isStreaming) yield* snapshotOf(early, snapshotAt, tables);
    isStreaming = true;
    lsn += 8 * prng.int(4, 900);
    txId++;
    yield* streamed(step, tables[step.entity], { at: step.at, lsn, txId, snapshot: 'false' });
  }
  if (!isStreaming && snapshotAt !== null) yield* snapshotOf(early, snapshotAt, tables);
}

type Tables = { readonly [E in EntityKind]: Table };

/** All rows are read at one place of the log. */
function* snapshotOf(
  rows: ReadonlyMap<string, { readonly entity: EntityKind; readonly state: RecordState }>,
  at: number,
  tables: Tables,
): Generator<CrmRecord, void> {
  let left = rows.size;
  for (const [id, { entity, state }] of rows) {
    const snapshot = left === rows.size ? 'first' : left === 1 ? 'last' : 'true';
    left--;
    const after = rowOf(tables[entity].columns, id, state);
    yield message(tables[entity], id, 'r', null, after, { at, lsn: FIRST_LSN, txId: 600, snapshot });
  }
}

function* streamed(step: Step, table: Table, place: Place): Generator<CrmRecord, void> {
  const { id, before, after } = step;
  const row = (state: RecordState): object => rowOf(table.columns, id, state);
  if (after === null) {
    yield message(
      table,
      id,
      'd',
      before === null || !table.hasWholeBefore ? onlyKey(table, id) : row(before),
      null,
      place,
    );
    yield { key: keyOf(table, id), value: null };
  } else if (before === null) yield message(table, id, 'c', null, row(after), place);
  else yield message(table, id, 'u', table.hasWholeBefore ? row(before) : null, row(after), place);
}

const onlyKey = ({ columns }: Table, id: string): object => ({
  ...Object.fromEntries(columns.map(({ name }) => [name, null])),
  id,
});

const keyOf = ({ keySchema }: Table, id: string): object => ({ schema: keySchema, payload: { id } });

interface Place {
  readonly at: number;
  readonly lsn: number;
  readonly txId: number;
  readonly snapshot: string;
}

function message(
  table: Table,
  id: string,
  op: string,
  before: object | null,
  after: object | null,
  { at, lsn, txId, snapshot }: Place,
): CrmRecord {
  const source = {
    version: '2.7.0.Final',
    connector: 'postgresql',
    name: 'crm',
    ts_ms: at,
    snapshot,
    db: 'crm',
    sequence: `["${lsn}","${lsn}"]`,
    schema: 'public',
    table: table.name,
    txId,
    lsn,
    xmin: null,
  };
  const payload = { before, after, source, op, ts_ms: at + 300, transaction: null };
  return { key: keyOf(table, id), value: { schema: table.valueSchema, payload } };
}
