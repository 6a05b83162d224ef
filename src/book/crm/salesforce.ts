import type { Contracts } from '../../../schemas/contracts.ts';
import type { Change } from '../../ingest/change.ts';
import type { EntityKind } from '../../language/contract.ts';
import { createPrng, type Prng } from '../prng.ts';
import { transactionsOf } from './bulk-updates.ts';
import { type CrmRecord, valueOnly } from './crm-record.ts';
import { atLeastOnce } from './delivery.ts';
import { bitmapsOf, emptyBody, fieldsOf, OBJECTS, put, recordId, type SalesforceField } from './salesforce-fields.ts';
import { type RecordState, type Step, stepsOf } from './steps.ts';

/** Where the stream's numbers begin; they have gaps. */
const FIRST_REPLAY = 18_000_000;
/** Of updates: those that a flow goes on with in the same transaction, and those of an enriched channel. */
const FLOW_SHARE = 0.15;
const ENRICHED_SHARE = 0.05;
/** Of transactions with several events: those that have one replay id for all, as enriched ones may. */
const ONE_REPLAY_SHARE = 0.3;
/** Of records: those that hold several events. */
const LIST_SHARE = 0.1;
const MOST_IN_LIST = 5;

/**
 * A history as Change Data Capture tells it: decoded events of the Pub/Sub API, one record of one or several, in order
 * and at least once. Updates have what has changed, by name or as bitmaps; equal ones of many records are one event.
 */
export function* salesforceRecords(
  seed: number,
  history: Iterable<Change>,
  contracts: Contracts,
): Generator<CrmRecord, void> {
  const told = transactionEvents(createPrng(seed, 'salesforce'), history, contracts);
  yield* atLeastOnce(inLists(told, createPrng(seed, 'salesforce-lists')), createPrng(seed, 'salesforce-delivery'));
}

function* inLists(events: Iterable<object>, prng: Prng): Generator<CrmRecord, void> {
  let list: object[] = [];
  let size = 1;
  for (const event of events) {
    list.push(event);
    if (list.length < size) continue;
    yield valueOnly(size === 1 ? event : list);
    list = [];
    size = prng.chance(LIST_SHARE) ? prng.int(2, MOST_IN_LIST) : 1;
  }
  if (list.length > 0) yield valueOnly(list);
}

interface Told {
  readonly changeType: 'CREATE' | 'UPDATE' | 'DELETE';
  readonly entity: EntityKind;
  readonly ids: readonly string[];
  readonly state: RecordState | null;
  /** By the contract's names. */
  readonly changed: readonly string[];
}

function* transactionEvents(prng: Prng, history: Iterable<Change>, contracts: Contracts): Generator<object, void> {
  const fields = { deal: fieldsOf(contracts.deal), account: fieldsOf(contracts.account) };
  let replayId = FIRST_REPLAY;
  for (const steps of transactionsOf(stepsOf(history, contracts))) {
    const commitTimestamp = Math.floor((steps.at(-1)?.at ?? 0) / 1_000) * 1_000;
    const transactionKey = uuid(prng);
    const hasOneReplay = prng.chance(ONE_REPLAY_SHARE);
    for (const [index, told] of toldOf(steps, prng).entries()) {
      if (index === 0 || !hasOneReplay) replayId += prng.int(1, 90);
      const header = {
        entityName: OBJECTS[told.entity],
        recordIds: told.ids.map((id) => recordId(told.entity, id)),
        changeType: told.changeType,
        changeOrigin: 'com/salesforce/api/soap/61.0;client=SfdcInternalAPI/',
        transactionKey,
        sequenceNumber: index + 1,
        commitTimestamp,
        commitNumber: commitTimestamp * 1_000 + index,
        commitUser: '005Dp000000PpjsIAC',
      };
      yield { id: uuid(prng), replayId, payload: payloadOf(told, header, fields[told.entity], prng) };
    }
  }
}

/** A transaction is one event, or two where a flow changes the record again. */
function toldOf(steps: readonly Step[], prng: Prng): readonly Told[] {
  const [first] = steps;
  if (first === undefined) return [];
  const { entity, before, after } = first;
  const ids = steps.map(({ id }) => id);
  if (after === null) return [{ changeType: 'DELETE', entity, ids, state: null, changed: [] }];
  if (before === null) return [{ changeType: 'CREATE', entity, ids, state: after, changed: [] }];
  const changed = first.hasMoved ? ['account_id', ...first.changed] : first.changed;
  const update: Told = { changeType: 'UPDATE', entity, ids, state: after, changed };
  if (changed.length < 2 || !prng.chance(FLOW_SHARE)) return [update];
  const split = prng.int(1, changed.length - 1);
  const [overruled = ''] = changed.slice(split);
  return [
    { ...update, state: withOld(overruled, before, after), changed: changed.slice(0, split + 1) },
    { ...update, changed: changed.slice(split) },
  ];
}

/** What the flow overrules was first saved as it had been. */
function withOld(name: string, before: RecordState, after: RecordState): RecordState {
  const { [name]: _, ...fields } = after.fields;
  const old = before.fields[name];
  return { ...after, fields: old === undefined ? fields : { ...fields, [name]: old } };
}

function payloadOf(told: Told, header: object, fields: ReadonlyMap<string, SalesforceField>, prng: Prng): object {
  const { changeType, state } = told;
  const body = emptyBody(fields);
  const lists = { nulledFields: [] as string[], diffFields: [], changedFields: [] as string[] };
  if (state !== null) {
    const { commitTimestamp } = header as { readonly commitTimestamp: number };
    body.LastModifiedDate = commitTimestamp;
    const names = changeType === 'CREATE' ? fields.keys() : told.changed;
    for (const name of names) {
      const field = fields.get(name);
      if (field === undefined) continue;
      const value = field.formOf(state);
      if (value !== null || changeType === 'UPDATE') put(body, field.path, value);
      if (changeType === 'CREATE') continue;
      lists.changedFields.push(field.path);
      if (value === null) lists.nulledFields.push(field.path);
    }
    if (changeType === 'UPDATE') {
      lists.changedFields.push('LastModifiedDate');
      // Enrichment is of one record, and says what it has, changed or not.
      if (told.ids.length === 1 && prng.chance(ENRICHED_SHARE)) body.Name = state.fields.name ?? null;
      if (prng.chance(0.5)) {
        lists.changedFields = bitmapsOf(body, lists.changedFields);
        lists.nulledFields = bitmapsOf(body, lists.nulledFields);
      }
    }
  }
  return { ...body, ChangeEventHeader: { ...header, ...lists } };
}

function uuid(prng: Prng): string {
  const hex = (digits: number): string => Array.from({ length: digits }, () => prng.int(0, 15).toString(16)).join('');
  return `${hex(8)}-${hex(4)}-${hex(4)}-${hex(4)}-${hex(12)}`;
}
