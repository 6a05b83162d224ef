import { transactionsOf } from '../../src/book/crm/bulk-updates.ts';
import type { Crm } from '../../src/book/crm/crm-records.ts';
import { debeziumRecords } from '../../src/book/crm/debezium.ts';
import * as hubspot from '../../src/book/crm/hubspot.ts';
import * as pipedrive from '../../src/book/crm/pipedrive.ts';
import * as salesforce from '../../src/book/crm/salesforce-fields.ts';
import { type RecordState, type Step, stepsOf } from '../../src/book/crm/steps.ts';
import { readExports } from '../../src/cli/sync-files.ts';
import type { EventMapping } from '../../src/connectors/mapping/event-mapping.ts';
import { PlumblineError } from '../../src/errors.ts';
import type { Change } from '../../src/ingest/change.ts';
import type { EntityKind } from '../../src/language/contract.ts';
import { contracts } from './test-worker.ts';

/** A file that `plumbline sync` takes. */
export interface Export {
  /** null where its events name it. */
  readonly object: string | null;
  readonly name: string;
  readonly content: string;
}

interface Held {
  readonly entity: EntityKind;
  readonly id: string;
  readonly state: RecordState;
  /** When it was last changed, milliseconds. */
  readonly at: number;
}

/** The whole of a CRM as it was at an instant, in the form of its own exports. */
export function exportsOf(crm: Crm, seed: number, history: readonly Change[], at: number): readonly Export[] {
  switch (crm) {
    case 'salesforce':
      // A transaction is committed as a whole, at its end.
      return filesOf(heldAt(committed(history), at), salesforce.OBJECTS, 'csv', salesforceRow);
    case 'hubspot':
      return filesOf(heldAt(stepsOf(history, contracts), at), hubspot.OBJECTS, 'ndjson', hubspotRow);
    case 'pipedrive':
      return filesOf(heldAt(stepsOf(history, contracts), at), pipedrive.OBJECTS, 'ndjson', pipedriveRow);
    case 'debezium':
      return [{ object: null, name: 'snapshot.ndjson', content: debeziumSnapshot(seed, history, at) }];
  }
}

function* committed(history: readonly Change[]): Generator<Step> {
  for (const steps of transactionsOf(stepsOf(history, contracts)))
    for (const step of steps) yield { ...step, at: steps.at(-1)?.at ?? step.at };
}

function heldAt(steps: Iterable<Step>, until: number): readonly Held[] {
  const held = new Map<string, Held>();
  for (const { entity, id, at, after } of steps) {
    if (at > until) continue;
    if (after === null) held.delete(id);
    else held.set(id, { entity, id, state: after, at });
  }
  return [...held.values()];
}

type Row = { readonly [name: string]: unknown };

function filesOf(
  held: readonly Held[],
  objects: { readonly [E in EntityKind]: string },
  kind: 'csv' | 'ndjson',
  rowOf: (one: Held) => Row,
): readonly Export[] {
  return (['account', 'deal'] as const).map((entity) => {
    const rows = held.filter((one) => one.entity === entity).map(rowOf);
    const content = kind === 'csv' ? csv(rows) : rows.map((row) => `${JSON.stringify(row)}\n`).join('');
    return { object: objects[entity], name: `${entity}.${kind}`, content };
  });
}

function csv(rows: readonly Row[]): string {
  const names = Object.keys(rows[0] ?? { Id: null });
  const cell = (value: unknown): string =>
    value === null || value === undefined ? '' : `"${String(value).replaceAll('"', '""')}"`;
  return [names.join(','), ...rows.map((row) => names.map((name) => cell(row[name])).join(','))]
    .map((line) => `${line}\n`)
    .join('');
}

const seconds = (ms: number): number => Math.floor(ms / 1_000) * 1_000;

/** As the Bulk API has it: instants in ISO 8601, dates without a time, parts of an address as columns. */
function salesforceRow({ entity, id, state, at }: Held): Row {
  const row: { [name: string]: unknown } = {
    Id: salesforce.recordId(entity, id),
    SystemModstamp: new Date(seconds(at)).toISOString(),
  };
  for (const [name, { path, formOf }] of salesforce.fieldsOf(contracts[entity])) {
    const value = formOf(state);
    const kind = contracts[entity].fields.get(name)?.type.kind;
    const iso =
      typeof value === 'number' && (kind === 'instant' || kind === 'date') ? new Date(value).toISOString() : null;
    row[path.replace('BillingAddress.', 'Billing')] = iso === null ? value : kind === 'date' ? iso.slice(0, 10) : iso;
  }
  return row;
}

function hubspotRow({ entity, id, state, at }: Held): Row {
  const names = [...contracts[entity].fields].filter(
    ([name, { type }]) => !['id', 'account_id'].includes(name) && type.kind !== 'list',
  );
  const properties = names.map(([name]) => hubspot.propertyOf(contracts[entity], name, state.fields[name]));
  return {
    id: String(hubspot.objectId(entity, id)),
    properties: Object.fromEntries(properties),
    updatedAt: new Date(at).toISOString(),
    archived: false,
  };
}

const layouts = { deal: pipedrive.layoutOf(contracts.deal), account: pipedrive.layoutOf(contracts.account) };

const pipedriveRow = ({ entity, id, state, at }: Held): Row =>
  pipedrive.dataOf(layouts[entity], id, state, at, pipedrive.STAGES[String(state.fields.stage)] ?? 1);

interface Message {
  readonly value: {
    readonly payload: {
      readonly after: { readonly id: string } | null;
      readonly before: { readonly id: string } | null;
      readonly source: { readonly ts_ms: number; readonly lsn: number };
      readonly op: string;
    };
  } | null;
}

/** Another connector's snapshot: every row, as of the place where the log was. */
function debeziumSnapshot(seed: number, history: readonly Change[], until: number): string {
  const rows = new Map<string, NonNullable<Message['value']>>();
  let lsn = 0;
  for (const { value } of debeziumRecords(seed, history, contracts) as Iterable<Message>) {
    if (value === null) continue;
    const { payload } = value;
    const { after, before, source } = payload;
    if (source.ts_ms > until) continue;
    // What comes again is older.
    if (source.lsn < lsn) continue;
    lsn = source.lsn;
    if (after === null) rows.delete(before?.id ?? '');
    else rows.set(after.id, value);
  }
  return [...rows.values()]
    .map(({ payload, ...schema }) => {
      const source = { ...payload.source, lsn, ts_ms: until, snapshot: 'true' };
      return `${JSON.stringify({ ...schema, payload: { ...payload, op: 'r', before: null, source } })}\n`;
    })
    .join('');
}

/** The changes that `plumbline sync` makes of exports; what is refused is an error. */
export async function syncChanges(
  mapping: EventMapping,
  exports: readonly Export[],
  exportedAt: number,
): Promise<Change[]> {
  const changes: Change[] = [];
  const content = (path: string): string => exports.find(({ name }) => name === path)?.content ?? '';
  const open = async function* (path: string) {
    yield Buffer.from(content(path));
  };
  const files = exports.map(({ object, name }) => ({ object, path: name }));
  for await (const row of readExports(mapping, files, exportedAt, contracts, open)) {
    if (row instanceof PlumblineError) throw row;
    changes.push(row.change);
  }
  return changes;
}
