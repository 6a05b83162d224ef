import type { Contracts } from '../../../schemas/contracts.ts';
import {
  type Contract,
  ContractBreach,
  type Field as ContractField,
  decodeJson,
  type FieldType,
} from '../../language/contract.ts';
import type { Diagnostic } from '../../language/diagnostics.ts';
import type { Findings, Path } from '../../language/shaped-yaml.ts';
import { didYouMean } from '../../language/suggest.ts';
import type {
  EventExpression,
  EventFieldSpec,
  EventMapping,
  EventScope,
  FieldSource,
  IdSpec,
  ObjectSpec,
} from './event-mapping.ts';
import { pathsOf } from './event-mapping.ts';
import {
  type EventFieldDocument,
  type EventMappingDocument,
  eventMappingShape,
  type IdDocument,
  type ObjectDocument,
} from './event-mapping-shape.ts';
import { compileIn, type Member, mappingEnvironment, type NameFault } from './expressions.ts';
import { fieldReader } from './field-reader.ts';
import { readMappingSource } from './mapping-source.ts';
import type { Reading } from './read-value.ts';
import { rememberIds } from './remembered.ts';
import { type SourcePath, sourcePath } from './told.ts';

export interface ReadEventMapping {
  /** null where there is an error. */
  readonly mapping: EventMapping | null;
  readonly diagnostics: readonly Diagnostic[];
}

const environment = mappingEnvironment({ value: 'dyn', id: 'string', event: 'map', params: 'map' });
const EVENT_NAMES = ['at', 'object'];
/** Their updates tell what has changed and nothing else. */
const PARTIAL = new Set<EventMappingDocument['format']>(['salesforce', 'hubspot']);

/** Where an expression stands. */
interface Place {
  readonly findings: Findings;
  readonly document: EventMappingDocument;
}

/** Reads, checks and compiles a mapping of events: codes PLB-MAP-*, each with its line and column. */
export function readEventMapping(text: string, file: string, contracts: Contracts): ReadEventMapping {
  const { document, findings } = readMappingSource(text, file, eventMappingShape);
  if (!document) return { mapping: null, diagnostics: findings.list };
  const place = { findings, document };
  const { name, format, id_prefix: idPrefix, ignore } = document;
  const objects = Object.entries(document.objects).map(([object, spec]): [string, ObjectSpec] => {
    if (ignore.includes(object))
      findings.add('PLB-MAP-NAME', ['objects', object], `\`${object}\` is mapped and ignored at once`, null, 'key');
    return [object, compileObject(object, spec, ['objects', object], place, contracts[spec.entity])];
  });
  const params = Object.fromEntries(
    Object.entries(document.params).map(([key, value]) => [
      key,
      typeof value === 'number' && Number.isSafeInteger(value) ? BigInt(value) : value,
    ]),
  );
  const mapping = { name, format, idPrefix, params, ignore: new Set(ignore), objects: new Map(objects) };
  return { mapping: findings.list.length > 0 ? null : mapping, diagnostics: findings.list };
}

function compileObject(name: string, object: ObjectDocument, path: Path, place: Place, contract: Contract): ObjectSpec {
  const { findings, document } = place;
  if (object.entity === 'account' && object.account_id !== undefined)
    findings.add('PLB-MAP-SHAPE', [...path, 'account_id'], 'an account has no `account_id`');
  if (document.format !== 'debezium' && (typeof object.id === 'string' || (object.id && 'from' in object.id)))
    findings.add(
      'PLB-MAP-SHAPE',
      [...path, 'id'],
      `an event of ${document.format} says itself which record it is about`,
      'leave `id` out, or convert it: `id: { cel: "\'D-\' + value" }`',
    );
  if (document.format === 'debezium' && object.id === undefined)
    findings.add(
      'PLB-MAP-SHAPE',
      path,
      `\`${name}\` needs an \`id\`: an event of Debezium doesn't say which column it is`,
      'name the key column, such as `id: id`',
    );
  if (typeof object.account_id === 'object' && !('from' in object.account_id))
    findings.add('PLB-MAP-SHAPE', [...path, 'account_id'], '`account_id` needs a `from`: where the account stands');
  const fields = Object.entries(object.fields).flatMap(([field, spec]) =>
    compileField(field, spec, [...path, 'fields', field], place, contract),
  );
  return {
    name,
    entity: object.entity,
    id: object.id === undefined ? null : compileId(object.id, [...path, 'id'], place),
    accountId: object.account_id === undefined ? null : compileId(object.account_id, [...path, 'account_id'], place),
    onDelete: object.on_delete,
    fields,
    readFields: fields.filter(({ value }) => value.kind === 'read'),
    fieldsByName: byFirstName(fields),
    alwaysSet: fields.filter(({ value }) => value.kind !== 'read'),
  };
}

function byFirstName(fields: readonly EventFieldSpec[]): ReadonlyMap<string, readonly EventFieldSpec[]> {
  const byName = new Map<string, EventFieldSpec[]>();
  for (const field of fields)
    for (const name of new Set(pathsOf(field.value).map(({ first }) => first)))
      byName.set(name, [...(byName.get(name) ?? []), field]);
  return byName;
}

function compileId(document: IdDocument, path: Path, place: Place): IdSpec {
  if (typeof document === 'string') return { from: sourcePath(document), cel: null };
  const from = 'from' in document ? sourcePath(document.from) : null;
  const cel = document.cel === undefined ? null : rememberIds(compile(document.cel, [...path, 'cel'], place, null));
  return { from, cel };
}

function compileField(
  name: string,
  document: EventFieldDocument,
  path: Path,
  place: Place,
  contract: Contract,
): EventFieldSpec[] {
  const { findings } = place;
  const field = contract.fields.get(name);
  const isEnvelope = name === 'id' || name === 'account_id';
  if (!field || isEnvelope) {
    const others = [...contract.fields.keys()].filter((one) => one !== 'id' && one !== 'account_id');
    const hint = isEnvelope ? 'it stands one level up, beside `fields`' : didYouMean(name, others);
    findings.add('PLB-MAP-NAME', path, `${contract.entity} has no field \`${name}\` to set`, hint, 'key');
    return [];
  }
  const isRequired = contract.required.includes(name);
  const value = compileSource(document, field, path, place);
  return [{ name, type: field.type, isRequired, value, read: fieldReader(name, field.type, value) }];
}

function compileSource(document: EventFieldDocument, field: ContractField, path: Path, place: Place): FieldSource {
  const { findings } = place;
  const { type } = field;
  if (typeof document === 'object' && 'const' in document)
    return { kind: 'constant', value: constant(type, document.const, field.name, [...path, 'const'], findings) };
  if (typeof document === 'object' && !('from' in document))
    return { kind: 'computed', cel: compile(document.cel, [...path, 'cel'], place, null) };
  if (typeof document === 'string') return plainSource(document, type, path, findings);
  const isOne = typeof document.from === 'string';
  const from = typeof document.from === 'string' ? sourcePath(document.from) : namedPaths(document.from);
  if (!isOne && document.cel === undefined)
    findings.add('PLB-MAP-SHAPE', [...path, 'from'], 'several paths need a `cel` that makes one value of them');
  if (!isOne && document.as !== undefined)
    findings.add('PLB-MAP-SHAPE', [...path, 'as'], '`as` is for one path', 'read the others in `cel`');
  if (!isOne && PARTIAL.has(place.document.format))
    findings.add(
      'PLB-MAP-PARTIAL',
      [...path, 'from'],
      `an update of ${place.document.format} has only what has changed: \`${field.name}\` can't be made of several paths`,
      'compute it in the CRM, or in the constraint',
    );
  if (document.other !== undefined && document.values === undefined)
    findings.add('PLB-MAP-SHAPE', [...path, 'other'], '`other` needs `values`');
  const empty =
    typeof document.empty === 'object'
      ? { value: constant(type, document.empty.value, field.name, [...path, 'empty', 'value'], findings) }
      : document.empty;
  const values = document.values === undefined ? null : compileValues(document.values, field, path, findings);
  const names = typeof document.from === 'string' ? null : Object.keys(document.from);
  const cel = document.cel === undefined ? null : compile(document.cel, [...path, 'cel'], place, names);
  const isTyped = cel === null && values === null;
  const as = document.as ?? (cel !== null ? 'raw' : values !== null ? 'text' : readingOf(type));
  if (document.unit !== undefined && as !== 'date' && as !== 'instant')
    findings.add(
      'PLB-MAP-SHAPE',
      [...path, 'unit'],
      '`unit` is for a date or an instant',
      'leave it out, or say `as: instant`',
    );
  if (isTyped && document.as !== undefined) checkReading(document.as, field, [...path, 'as'], findings);
  return {
    kind: 'read',
    from,
    reading: { as, unit: document.unit ?? 'ms' },
    values,
    other: document.other ?? 'error',
    cel,
    empty,
    isSetByRows: document.rows,
  };
}

function plainSource(from: string, type: FieldType, path: Path, findings: Findings): FieldSource {
  if (type.kind === 'list')
    findings.add('PLB-MAP-SHAPE', path, 'a list needs a `cel`', 'such as `{ from: Contacts, cel: "value.map(c, …)" }`');
  const reading: Reading = { as: readingOf(type), unit: 'ms' };
  return {
    kind: 'read',
    from: sourcePath(from),
    reading,
    values: null,
    other: 'error',
    cel: null,
    empty: 'clear',
    isSetByRows: true,
  };
}

const namedPaths = (from: { readonly [name: string]: string }): ReadonlyMap<string, SourcePath> =>
  new Map(Object.entries(from).map(([name, path]) => [name, sourcePath(path)]));

function readingOf({ kind }: FieldType): Reading['as'] {
  switch (kind) {
    case 'double':
      return 'number';
    case 'int':
    case 'bool':
    case 'date':
    case 'instant':
      return kind;
    case 'string':
    case 'enum':
      return 'text';
    case 'record':
    case 'list':
      return 'raw';
  }
}

function checkReading(as: Reading['as'], field: ContractField, path: Path, findings: Findings): void {
  const wanted = readingOf(field.type);
  const fits = as === wanted || (wanted === 'number' && as === 'int') || (wanted === 'date' && as === 'instant');
  if (!fits)
    findings.add(
      'PLB-MAP-TYPE',
      path,
      `\`${field.name}\` is read as ${as}, the contract has ${field.type.kind}`,
      'convert it with `cel`',
    );
}

function compileValues(
  values: { readonly [text: string]: unknown },
  field: ContractField,
  path: Path,
  findings: Findings,
): ReadonlyMap<string, unknown> {
  return new Map(
    Object.entries(values).map(([text, value]) => {
      if (value === 'null' || value === null) return [text, null];
      return [text, constant(field.type, value, field.name, [...path, 'values', text], findings)];
    }),
  );
}

function constant(type: FieldType, value: unknown, name: string, path: Path, findings: Findings): unknown {
  try {
    return decodeJson(type, value, name);
  } catch (error) {
    if (!(error instanceof ContractBreach)) throw error;
    findings.add('PLB-MAP-SHAPE', path, error.breach.message);
    return null;
  }
}

/** @param names those that `value` has, where it is made of several paths */
function compile(text: string, path: Path, place: Place, names: readonly string[] | null): EventExpression {
  const check = (member: Member) => checkMember(member, place.document, names);
  const result = compileIn<EventScope>(environment, text, check, 'any');
  if ('run' in result) return result;
  const code = result.name === undefined ? 'PLB-MAP-CEL' : 'PLB-MAP-NAME';
  const hint = result.name === undefined ? null : didYouMean(result.name, result.known ?? []);
  place.findings.add(code, path, result.message, hint, { start: result.start, end: result.end });
  return { text, mayRead: () => false, run: () => null };
}

function checkMember(
  { of, name }: Member,
  { params }: EventMappingDocument,
  names: readonly string[] | null,
): NameFault | null {
  if (of.op !== 'id') return null;
  const unknown = (what: string, known: readonly string[]): NameFault | null =>
    known.includes(name) ? null : { message: `${what} \`${name}\` is not declared`, known, name };
  if (of.args === 'params') return unknown('parameter', Object.keys(params));
  if (of.args === 'event') return unknown('the event’s', EVENT_NAMES);
  return of.args === 'value' && names !== null ? unknown('value', names) : null;
}
