import type { Contracts } from '../../../schemas/contracts.ts';
import { PlumblineError } from '../../errors.ts';
import type { Change, ChangeOfAll } from '../../ingest/change.ts';
import { decodeChange } from '../../ingest/decode-change.ts';
import { type EntityKind, TIMES_AS_NUMBERS } from '../../language/contract.ts';
import { didYouMean } from '../../language/suggest.ts';
import type { ObjectEvent, RecordEvent, SourceEvent } from '../source-event.ts';
import { describe, evaluate } from './evaluate.ts';
import type { EventFieldSpec, EventMapping, EventScope, FieldSource, IdSpec, ObjectSpec } from './event-mapping.ts';
import { fieldForm } from './field-form.ts';
import { readValue, textOf } from './read-value.ts';
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
  const json = changeJson(mapping, object, event);
  return json === null ? IGNORED : { kind: 'change', change: decodeChange(json, contracts, TIMES_AS_NUMBERS) };
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

/** null where the mapping has nothing of it. */
function changeJson(mapping: EventMapping, object: ObjectSpec, event: RecordEvent): object | null {
  const at = new Date(event.changedAt);
  const own = event.id ?? '';
  const scope = { value: null, id: own, event: { at, object: object.name }, params: mapping.params };
  // What the event itself says counts: its values needn't repeat it.
  const raw = event.id ?? (object.id?.from ? valueAt(event.values, object.id.from) : null);
  const id = idOf(object.id, raw, scope, mapping.idPrefix);
  if (id === null)
    throw new PlumblineError('PLB-MAP-ID', `the event of \`${object.name}\` has no id`, {
      hint: object.id === null ? 'give the object an `id`' : 'look at the `id` of the object in the mapping',
    });
  const { eventId: event_id, version, changedAt: changed_at } = event;
  const base = { event_id, entity: object.entity, id, version, changed_at };
  switch (event.kind) {
    case 'set':
      return upsert(mapping, object, event, base, { ...scope, id: textOf(raw) ?? '' });
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

type Base = { readonly [name: string]: unknown };

function upsert(
  mapping: EventMapping,
  object: ObjectSpec,
  event: RecordEvent & { kind: 'set' },
  base: Base,
  scope: EventScope,
): object | null {
  const json: { [name: string]: unknown } = { ...base, op: 'upsert' };
  let isTold = event.wholeAsOf !== null || (event.changed === null && Object.keys(event.values).length === 0);
  const account = object.accountId?.from ? toldAt(event, object.accountId.from) : NOT_TOLD;
  if (account !== NOT_TOLD) {
    isTold = true;
    json.account_id = idOf(object.accountId, account, scope, mapping.idPrefix);
  }
  const fields: { [name: string]: unknown } = {};
  const cleared: string[] = [];
  for (const spec of object.fields) {
    const value = fieldValue(spec, event, scope);
    if (value === NOT_TOLD) continue;
    if (spec.value.kind === 'read') isTold = true;
    if (value === LEFT_OUT) continue;
    if (value === null && !spec.isRequired) cleared.push(spec.name);
    else fields[spec.name] = value;
  }
  if (!isTold) return null;
  // A part of an entity that other objects tell more of is never the whole.
  const whole = event.wholeAsOf !== null && object.onDelete === 'delete' ? { whole_as_of: event.wholeAsOf } : {};
  return { ...json, fields, cleared, ...whole };
}

const LEFT_OUT = Symbol('left out');

/** The value in Avro's own form, null to clear, or that there is none to set. */
function fieldValue({ name, type, value: source }: EventFieldSpec, event: RecordEvent, scope: EventScope): unknown {
  if (source.kind === 'constant') return source.value;
  if (source.kind === 'computed') return fieldForm(type, evaluate(source.cel, scope, `field \`${name}\``), name);
  const raw = rawOf(source, event);
  if (raw === NOT_TOLD) return NOT_TOLD;
  const what = `\`${pathText(source)}\` (field \`${name}\`)`;
  const read = source.from instanceof Map ? raw : readValue(source.reading, raw, what);
  const made =
    source.cel === null || read === null ? read : evaluate(source.cel, { ...scope, value: read }, `field \`${name}\``);
  const given = source.values === null ? fieldForm(type, made, name) : translate(source, made, what, type, name);
  if (given !== null) return given;
  return source.empty === 'clear' ? null : source.empty === 'leave_out' ? LEFT_OUT : source.empty.value;
}

type ReadSource = FieldSource & { kind: 'read' };

/** Of several paths: told where one of them is. */
function rawOf({ from }: ReadSource, event: RecordEvent): unknown {
  if (!(from instanceof Map)) return toldAt(event, from as readonly string[]);
  const found: { [name: string]: unknown } = {};
  let isTold = false;
  for (const [name, path] of from as ReadonlyMap<string, readonly string[]>) {
    const value = toldAt(event, path);
    if (value !== NOT_TOLD) isTold = true;
    found[name] = value === NOT_TOLD ? null : value;
  }
  return isTold ? found : NOT_TOLD;
}

const pathText = ({ from }: ReadSource): string =>
  from instanceof Map
    ? [...from.values()].map((path) => path.join('.')).join(', ')
    : (from as readonly string[]).join('.');

function translate(
  { values, other }: ReadSource,
  made: unknown,
  what: string,
  type: EventFieldSpec['type'],
  name: string,
): unknown {
  if (made === null || made === undefined) return null;
  const text = textOf(made);
  if (text === null)
    throw new PlumblineError('PLB-MAP-VALUE', `${what} is ${describe(made)}, and only a text can be among \`values\``, {
      where: { path: name },
      hint: 'make a text of it with `cel`',
    });
  const found = values?.get(text);
  if (found !== undefined) return found;
  if (other === 'keep') return fieldForm(type, made, name);
  if (other === 'null') return null;
  const told = text.length > 80 ? `${text.slice(0, 80)}…` : text;
  throw new PlumblineError('PLB-MAP-VALUE', `${what} is \`${told}\`, which its \`values\` don't name`, {
    where: { path: name },
    hint: `add \`${told}\` to the values of \`${name}\` in the mapping; the event can be redriven then`,
  });
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
  const path = spec?.from?.join('.') ?? 'id';
  throw new PlumblineError('PLB-MAP-TYPE', `\`${path}\` is ${describe(raw)}, expected a text or a whole number`, {
    hint: `an id that lies deeper has a path such as \`${path}.value\``,
  });
}

/** @throws PlumblineError PLB-MAP-EVAL, PLB-MAP-TYPE */
function convertId(spec: IdSpec | null, raw: string, scope: EventScope, prefix: string): string {
  if (spec?.cel == null) return prefix + raw;
  const value = evaluate(spec.cel, { ...scope, id: raw, value: raw }, '`id`');
  const text = textOf(value);
  if (text !== null && text !== '') return prefix + text;
  throw new PlumblineError('PLB-MAP-TYPE', 'the expression of an id gives no text', { hint: 'such as `"A-" + value`' });
}
