import type { Contracts } from '../../../schemas/contracts.ts';
import { PlumblineError } from '../../errors.ts';
import type { Change, ChangeOfAll, UpsertChange } from '../../ingest/change.ts';
import { decodeChange, ofChange, refuseNull, toId } from '../../ingest/decode-change.ts';
import { type EntityKind, TIMES_AS_NUMBERS, type Value } from '../../language/contract.ts';
import { didYouMean } from '../../language/suggest.ts';
import type { ObjectEvent, RecordEvent, SourceEvent } from '../source-event.ts';
import { describe, evaluate } from './evaluate.ts';
import type { EventFieldSpec, EventMapping, EventScope, IdSpec, ObjectSpec } from './event-mapping.ts';
import { LEFT_OUT } from './field-reader.ts';
import { textOf } from './read-value.ts';
import { NOT_TOLD, toldAt, valueAt } from './told.ts';

/** What a mapping makes of an event. */
export type Mapped =
  | { readonly kind: 'change'; readonly change: Change }
  | { readonly kind: 'of_all'; readonly entity: EntityKind; readonly change: ChangeOfAll }
  /** Nothing that the mapping has. */
  | { readonly kind: 'ignored' };

const IGNORED: Mapped = { kind: 'ignored' };
const ALL_OTHERS = '*';

/** @throws PlumblineError PLB-MAP-*, PLB-FIELD-*, PLB-CHANGE-*: never retryable, the mapping or the event is to be mended */
export function mapEvent(mapping: EventMapping, event: SourceEvent, contracts: Contracts): Mapped {
  const object = mapping.objects.get(event.object);
  if (object === undefined) {
    if (mapping.ignore.has(event.object) || mapping.ignore.has(ALL_OTHERS)) return IGNORED;
    const meant = didYouMean(event.object, mapping.objects.keys());
    throw new PlumblineError('PLB-MAP-OBJECT', `mapping \`${mapping.name}\` has no object \`${event.object}\``, {
      hint: `map it, or name it under \`ignore\`${meant === null ? '' : ` (${meant})`}`,
    });
  }
  if (isOfAll(event)) return ofAll(mapping, object, event);
  try {
    const change = changeOf(mapping, object, event, contracts);
    return change === null ? IGNORED : { kind: 'change', change };
  } catch (error) {
    throw ofChange(error);
  }
}

const isOfAll = (event: SourceEvent): event is ObjectEvent => event.kind === 'gap_all' || event.kind === 'truncated';

function ofAll(mapping: EventMapping, object: ObjectSpec, event: ObjectEvent): Mapped {
  const op = event.kind === 'truncated' ? 'delete' : 'gap';
  if (op === 'delete' && object.onDelete === 'ignore') return IGNORED;
  if (op === 'delete' && object.onDelete === 'clear')
    throw new PlumblineError(
      'PLB-MAP-TRUNCATED',
      `\`${object.name}\` was emptied, and \`on_delete: clear\` needs its rows`,
      {
        hint: 'read the entities again with `plumbline sync`',
      },
    );
  if (op === 'delete') refuseOthersOf(mapping, object);
  const { eventId, version, changedAt } = event;
  const change = { op, eventId, version, changedAt, idPrefix: mapping.idPrefix, prune: false } as const;
  return { kind: 'of_all', entity: object.entity, change };
}

/** What is of one kind can't be told apart by the object that it came from. */
function refuseOthersOf(mapping: EventMapping, object: ObjectSpec): void {
  for (const other of mapping.objects.values())
    if (other !== object && other.entity === object.entity && other.onDelete === 'delete')
      throw new PlumblineError(
        'PLB-MAP-TRUNCATED',
        `\`${object.name}\` was emptied, and \`${other.name}\` gives ${object.entity}s too, which are not gone`,
        { hint: 'give each of the two a mapping with an `id_prefix` of its own' },
      );
}

type SetEvent = RecordEvent & { kind: 'set' };

/** null where the mapping has nothing of it. */
function changeOf(mapping: EventMapping, object: ObjectSpec, event: RecordEvent, contracts: Contracts): Change | null {
  const scope: EventScope = {
    value: null,
    id: '',
    event: { at: new Date(event.changedAt), object: object.name },
    params: mapping.params,
  };
  // What the event itself says counts: its values needn't repeat it.
  const raw = event.id ?? (object.id?.from ? valueAt(event.values, object.id.from) : null);
  const id = idOf(object.id, raw, scope, mapping.idPrefix);
  if (id === null)
    throw new PlumblineError('PLB-MAP-ID', `the event of \`${object.name}\` has no id`, {
      hint: object.id === null ? 'give the object an `id`' : 'look at the `id` of the object in the mapping',
    });
  if (event.kind === 'set') return upsert(mapping, object, event, { id, own: textOf(raw) ?? '' }, scope);
  const json = otherJson(mapping, object, event, id, scope);
  return json === null ? null : decodeChange(json, contracts, TIMES_AS_NUMBERS);
}

type Base = { readonly [name: string]: unknown };

function otherJson(
  mapping: EventMapping,
  object: ObjectSpec,
  event: Exclude<RecordEvent, SetEvent>,
  id: string,
  scope: EventScope,
): object | null {
  const { eventId: event_id, version, changedAt: changed_at } = event;
  const base: Base = { event_id, entity: object.entity, id, version, changed_at };
  switch (event.kind) {
    case 'deleted':
      return deleted(mapping, object, event, base, scope);
    case 'gap':
      return { ...base, op: 'gap' };
    case 'linked':
    case 'unlinked': {
      const to = mapping.objects.get(event.to.object);
      if (object.entity !== 'deal' || to?.entity !== 'account') return null;
      const account_id = convertId(to.id, event.to.id, scope, mapping.idPrefix);
      return event.kind === 'linked'
        ? { ...base, op: 'link', account_id, primary: event.isPrimary }
        : { ...base, op: 'unlink', account_id };
    }
  }
}

/** @param names the id as the mapping makes it, and the CRM's own */
function upsert(
  mapping: EventMapping,
  object: ObjectSpec,
  event: SetEvent,
  names: { readonly id: string; readonly own: string },
  scope: EventScope,
): UpsertChange | null {
  const { wholeAsOf } = event;
  let isTold = wholeAsOf !== null || (event.changed === null && Object.keys(event.values).length === 0);
  const account = object.accountId?.from ? toldAt(event, object.accountId.from) : NOT_TOLD;
  if (account !== NOT_TOLD) isTold = true;
  const accountId = account === NOT_TOLD ? undefined : idOf(object.accountId, account, scope, mapping.idPrefix);
  const fields: { [name: string]: Value } = {};
  const cleared: string[] = [];
  const take = ({ name, isRequired, read }: EventFieldSpec): void => {
    const value = read(event, scope);
    if (value === NOT_TOLD) return;
    isTold = true;
    if (value === LEFT_OUT) return;
    if (value !== null) fields[name] = value as Value;
    else if (isRequired) refuseNull(name, `fields.${name}`);
    else cleared.push(name);
  };
  scope.id = names.own;
  for (const spec of fieldsToldOf(object, event)) take(spec);
  if (!isTold) return null;
  for (const spec of object.alwaysSet) take(spec);
  const { entity, onDelete } = object;
  const { eventId, version } = event;
  const id = toId(names.id, 'id');
  const changedAt = TIMES_AS_NUMBERS.instant(event.changedAt, 'changed_at');
  const base = {
    eventId,
    entity,
    id,
    version,
    changedAt,
    op: 'upsert',
    fields,
    cleared: cleared.length > 1 ? cleared.sort() : cleared,
  } as const;
  // A part of an entity that other objects tell more of is never the whole.
  const isWhole = wholeAsOf !== null && onDelete === 'delete';
  if (accountId === undefined) return isWhole ? { ...base, wholeAsOf } : base;
  const owned = { ...base, accountId: accountId === null ? null : toId(accountId, 'account_id') };
  return isWhole ? { ...owned, wholeAsOf } : owned;
}

/** Those that are read from something that the event can tell; most events tell few. */
function fieldsToldOf({ readFields, fieldsByName }: ObjectSpec, { changed }: SetEvent): Iterable<EventFieldSpec> {
  if (changed === null) return readFields;
  let found: readonly EventFieldSpec[] | Set<EventFieldSpec> = [];
  for (const path of changed) {
    const dot = path.indexOf('.');
    const here = fieldsByName.get(dot < 0 ? path : path.slice(0, dot));
    if (here === undefined) continue;
    // A path of several may lie beside another one of the same field.
    if (changed.size === 1) return here;
    if (!(found instanceof Set)) found = new Set();
    for (const spec of here) found.add(spec);
  }
  return found;
}

function deleted(
  mapping: EventMapping,
  object: ObjectSpec,
  event: RecordEvent & { kind: 'deleted' },
  base: Base,
  scope: EventScope,
): object | null {
  if (object.onDelete === 'ignore') return null;
  if (object.onDelete === 'clear') {
    const cleared = object.fields.filter(({ isRequired }) => !isRequired).map(({ name }) => name);
    return { ...base, op: 'upsert', fields: {}, cleared };
  }
  const { mergedInto } = event;
  if (mergedInto === null || object.entity !== 'account') return { ...base, op: 'delete' };
  const merged_into = convertId(object.id, mergedInto, scope, mapping.idPrefix);
  return { ...base, op: 'delete', merged_into };
}

/** null where there is none. */
function idOf(spec: IdSpec | null, raw: unknown, scope: EventScope, prefix: string): string | null {
  if (raw === null || raw === undefined || raw === '' || raw === NOT_TOLD) return null;
  // A number beyond 2^53 has lost its last digits, and names another record.
  const text = typeof raw === 'number' && !Number.isSafeInteger(raw) ? null : textOf(raw);
  if (text !== null) return convertId(spec, text, scope, prefix);
  const path = spec?.from?.text ?? 'id';
  throw new PlumblineError('PLB-MAP-TYPE', `\`${path}\` is ${describe(raw)}, expected a text or a whole number`, {
    hint: `an id that lies deeper has a path such as \`${path}.value\``,
  });
}

/** @throws PlumblineError PLB-MAP-EVAL, PLB-MAP-TYPE */
function convertId(spec: IdSpec | null, raw: string, scope: EventScope, prefix: string): string {
  if (spec?.cel == null) return prefix + raw;
  scope.id = raw;
  scope.value = raw;
  const value = evaluate(spec.cel, scope, '`id`');
  const text = textOf(value);
  if (text !== null && text !== '') return prefix + text;
  throw new PlumblineError('PLB-MAP-TYPE', 'the expression of an id gives no text', { hint: 'such as `"A-" + value`' });
}
