import type { Contracts } from '../../schemas/contracts.ts';
import { type ErrorWhere, PlumblineError } from '../errors.ts';
import {
  type Contract,
  ContractBreach,
  decodeJson,
  type EntityKind,
  type Fields,
  type ScalarType,
  TIMES_AS_TEXT,
  type TimeForm,
  type Value,
} from '../language/contract.ts';
import type { Change, RevokeChange, WaiverGrant } from './change.ts';
import { isId, MAX_ID_LENGTH } from './id.ts';
import { isVersion } from './version.ts';

/** A change's JSON text holds at most this many UTF-8 bytes. */
export const MAX_CHANGE_BYTES = 1024 * 1024;

const STRING: ScalarType = { kind: 'string' };

type Json = { readonly [name: string]: unknown };

const COMMON_KEYS = ['event_id', 'entity', 'id', 'account_id', 'version', 'changed_at', 'op'] as const;
const KEYS: { readonly [op in Change['op']]: ReadonlySet<string> } = {
  upsert: new Set([...COMMON_KEYS, 'fields', 'cleared', 'whole_as_of']),
  delete: new Set([...COMMON_KEYS, 'merged_into']),
  gap: new Set(COMMON_KEYS),
  link: new Set([...COMMON_KEYS, 'primary']),
  unlink: new Set(COMMON_KEYS),
  waive: new Set([...COMMON_KEYS, 'waiver']),
  revoke: new Set([...COMMON_KEYS, 'waiver']),
};
const WAIVER_KEYS = new Set(['set', 'constraint', 'by', 'role', 'granted_at', 'until']);
/** The keys of a change that name the entity; a contract's fields of these names are set by them alone. */
const ENVELOPE_FIELDS = new Set(['id', 'account_id']);

/**
 * Decodes a canonical change: JSON text, the value parsed from it, or what else has its shape with dates and instants
 * in the form of `times`. Nothing of it is trusted: each key is known, each
 * value is of its type, and only names of the contract reach the objects that are built.
 * @throws PlumblineError PLB-CHANGE-* for the envelope, PLB-FIELD-* for a breach of the contract; never retryable
 */
export function decodeChange(input: unknown, contracts: Contracts, times: TimeForm = TIMES_AS_TEXT): Change {
  try {
    return readChange(typeof input === 'string' ? parseText(input) : input, contracts, times);
  } catch (error) {
    throw ofChange(error);
  }
}

/** A breach of the contract as the error of a change. */
export const ofChange = (error: unknown): unknown =>
  error instanceof ContractBreach
    ? new PlumblineError(error.breach.code, error.breach.message, { where: { path: error.breach.path } })
    : error;

function parseText(text: string): unknown {
  // Every UTF-16 code unit takes at least one byte: long texts are refused before they are measured.
  if (text.length > MAX_CHANGE_BYTES || Buffer.byteLength(text) > MAX_CHANGE_BYTES)
    throw new PlumblineError('PLB-CHANGE-SIZE', `a change has at most ${MAX_CHANGE_BYTES} bytes`, {
      hint: 'send one change a line, without attachments',
    });
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new PlumblineError('PLB-CHANGE-JSON', `a change is a JSON object: ${reason(cause)}`, { cause });
  }
}

const reason = (cause: unknown): string => (cause instanceof Error ? clip(cause.message) : 'not JSON');

function readChange(json: unknown, contracts: Contracts, times: TimeForm): Change {
  if (!isObject(json)) return fail('PLB-CHANGE-JSON', '', `a change is a JSON object, not ${describe(json)}`);
  const entity = readEntity(json);
  const op = readOp(json);
  rejectUnknownKeys(json, KEYS[op], '');
  const base = {
    eventId: readId(json, 'event_id'),
    entity,
    id: readId(json, 'id'),
    version: readVersion(json),
    changedAt: readInstant(json, 'changed_at', times),
    ...readAccountId(json, entity),
  };
  switch (op) {
    case 'upsert':
      return { ...base, op, ...readFields(json, contracts[entity], times), ...readWholeAsOf(json) };
    case 'delete':
      return { ...base, op, ...readMergedInto(json, entity, base.id) };
    case 'gap':
      return { ...base, op };
    case 'link':
    case 'unlink':
      return { ...base, op, ...readLink(json, base.accountId) };
    case 'waive':
      return { ...base, op, waiver: readGrant(readWaiver(json), times) };
    case 'revoke':
      return { ...base, op, waiver: readRevocation(readWaiver(json), times) };
  }
}

function readEntity(json: Json): EntityKind {
  const entity = required(json, 'entity', '');
  if (entity === 'deal' || entity === 'account') return entity;
  return fail('PLB-CHANGE-ENTITY', 'entity', `\`entity\` is ${describe(entity)}, expected deal or account`);
}

function readOp(json: Json): Change['op'] {
  const op = required(json, 'op', '');
  if (typeof op === 'string' && Object.hasOwn(KEYS, op)) return op as Change['op'];
  return fail('PLB-CHANGE-OP', 'op', `\`op\` is ${describe(op)}, expected ${Object.keys(KEYS).join(', ')}`);
}

const readVersion = (json: Json): string => toVersion(required(json, 'version', ''), 'version');

function toVersion(version: unknown, name: string): string {
  if (isVersion(version)) return version;
  return fail(
    'PLB-CHANGE-VERSION',
    name,
    `\`${name}\` is ${describe(version)}, expected a string of 1 to 30 decimal digits`,
  );
}

/** null says as little as its absence. */
function readWholeAsOf(json: Json): { wholeAsOf?: string } {
  const version = json.whole_as_of;
  return version === undefined || version === null ? {} : { wholeAsOf: toVersion(version, 'whole_as_of') };
}

function readMergedInto(json: Json, entity: EntityKind, id: string): { mergedInto?: string } {
  if (json.merged_into === undefined || json.merged_into === null) return {};
  if (entity === 'deal')
    return fail(
      'PLB-CHANGE-KEY',
      'merged_into',
      '`merged_into` is for accounts',
      'leave it out: the other deal goes on',
    );
  const mergedInto = readId(json, 'merged_into');
  if (mergedInto === id) return fail('PLB-CHANGE-KEY', 'merged_into', 'an account is merged into another one');
  return { mergedInto };
}

function readLink(json: Json, accountId: string | null | undefined): { accountId: string; isPrimary: boolean } {
  if (typeof accountId !== 'string')
    return fail('PLB-CHANGE-MISSING', 'account_id', '`account_id` is missing: a deal is linked to an account');
  const { primary = false } = json;
  if (typeof primary !== 'boolean')
    return fail('PLB-FIELD-TYPE', 'primary', `\`primary\` is ${describe(primary)}, expected true or false`);
  return { accountId, isPrimary: primary };
}

const readInstant = (json: Json, name: string, times: TimeForm, prefix = ''): number =>
  times.instant(required(json, name, prefix), prefix + name);

function readAccountId(json: Json, entity: EntityKind): { accountId?: string | null } {
  if (!Object.hasOwn(json, 'account_id') || json.account_id === undefined) return {};
  if (entity === 'account')
    return fail('PLB-CHANGE-KEY', 'account_id', 'an account has no `account_id`', 'its own id is the account');
  return { accountId: json.account_id === null ? null : readId(json, 'account_id') };
}

const readId = (json: Json, name: string): string => toId(required(json, name, ''), name);

/** @throws PlumblineError PLB-CHANGE-ID; ContractBreach */
export function toId(value: unknown, name: string): string {
  const id = decodeJson(STRING, value, name) as string;
  if (!isId(id))
    return fail(
      'PLB-CHANGE-ID',
      name,
      `\`${name}\` is ${describe(id)}, expected 1 to ${MAX_ID_LENGTH} characters without control characters`,
    );
  return id;
}

function readName(json: Json, name: string, prefix: string): string {
  const path = prefix + name;
  const text = decodeJson(STRING, required(json, name, prefix), path) as string;
  if (!isId(text))
    return fail(
      'PLB-CHANGE-WAIVER',
      path,
      `\`${path}\` is ${describe(text)}, expected 1 to ${MAX_ID_LENGTH} characters`,
    );
  return text;
}

function readFields(json: Json, contract: Contract, times: TimeForm): { fields: Fields; cleared: readonly string[] } {
  const given = Object.hasOwn(json, 'fields') ? json.fields : {};
  if (!isObject(given)) return fail('PLB-FIELD-TYPE', 'fields', `\`fields\` is ${describe(given)}, expected an object`);
  const fields: { [name: string]: Value } = {};
  const cleared = new Set<string>();
  for (const name of Object.keys(given)) {
    const path = `fields.${name}`;
    const field = knownField(contract, name, path);
    // null clears, as CRMs send it; only one of the two forms goes on.
    if (given[name] === null) cleared.add(clearable(contract, name, path));
    else fields[name] = decodeJson(field, given[name], path, times);
  }
  for (const [index, name] of readCleared(json).entries()) {
    const path = `cleared[${index}]`;
    knownField(contract, name, path);
    if (Object.hasOwn(fields, name))
      return fail('PLB-CHANGE-KEY', path, `\`${clip(name)}\` is both set and cleared`, 'send one of the two');
    cleared.add(clearable(contract, name, path));
  }
  return { fields, cleared: [...cleared].sort() };
}

function readCleared(json: Json): readonly string[] {
  if (!Object.hasOwn(json, 'cleared')) return [];
  const cleared = json.cleared;
  if (!Array.isArray(cleared))
    return fail('PLB-FIELD-TYPE', 'cleared', `\`cleared\` is ${describe(cleared)}, expected a list of field names`);
  return cleared.map((name: unknown, index) => decodeJson(STRING, name, `cleared[${index}]`) as string);
}

function knownField(contract: Contract, name: string, path: string) {
  const field = contract.fields.get(name);
  if (field === undefined)
    return fail('PLB-FIELD-UNKNOWN', clip(path), `${contract.entity} has no field \`${clip(name)}\``);
  if (ENVELOPE_FIELDS.has(name))
    return fail(
      'PLB-CHANGE-KEY',
      path,
      `\`${name}\` is a key of the change, not one of its fields`,
      'move it one level up',
    );
  return field.type;
}

function clearable(contract: Contract, name: string, path: string): string {
  return contract.required.includes(name) ? refuseNull(name, path) : name;
}

/** @throws PlumblineError PLB-FIELD-REQUIRED */
export const refuseNull = (name: string, path: string): never =>
  fail('PLB-FIELD-REQUIRED', path, `\`${name}\` may not be null`);

function readWaiver(json: Json): Json {
  const waiver = required(json, 'waiver', '');
  if (!isObject(waiver))
    return fail('PLB-FIELD-TYPE', 'waiver', `\`waiver\` is ${describe(waiver)}, expected an object`);
  rejectUnknownKeys(waiver, WAIVER_KEYS, 'waiver.');
  return waiver;
}

function readGrant(waiver: Json, times: TimeForm): WaiverGrant {
  const grant = {
    set: readName(waiver, 'set', 'waiver.'),
    constraint: readName(waiver, 'constraint', 'waiver.'),
    by: readName(waiver, 'by', 'waiver.'),
    role: readName(waiver, 'role', 'waiver.'),
    grantedAt: readInstant(waiver, 'granted_at', times, 'waiver.'),
    until: readInstant(waiver, 'until', times, 'waiver.'),
  };
  if (grant.until <= grant.grantedAt)
    return fail('PLB-CHANGE-WAIVER', 'waiver.until', '`waiver.until` is not after `waiver.granted_at`');
  return grant;
}

/** A revocation may repeat the waiver that it ends: what names it counts, the rest must be sound. */
function readRevocation(waiver: Json, times: TimeForm): RevokeChange['waiver'] {
  for (const name of ['by', 'role']) if (waiver[name] !== undefined) readName(waiver, name, 'waiver.');
  for (const name of ['granted_at', 'until'])
    if (waiver[name] !== undefined) readInstant(waiver, name, times, 'waiver.');
  return { set: readName(waiver, 'set', 'waiver.'), constraint: readName(waiver, 'constraint', 'waiver.') };
}

function required(json: Json, name: string, prefix: string): unknown {
  const value = Object.hasOwn(json, name) ? json[name] : undefined;
  if (value === undefined) return fail('PLB-CHANGE-MISSING', prefix + name, `\`${prefix}${name}\` is missing`);
  return value;
}

function rejectUnknownKeys(json: Json, known: ReadonlySet<string>, prefix: string): void {
  for (const name of Object.keys(json))
    if (!known.has(name))
      fail(
        'PLB-CHANGE-KEY',
        prefix + clip(name),
        `\`${prefix}${clip(name)}\` is no key of this change`,
        `expected ${[...known].join(', ')}`,
      );
}

const isObject = (json: unknown): json is Json => json !== null && typeof json === 'object' && !Array.isArray(json);

function describe(json: unknown): string {
  if (typeof json === 'string') return `\`${clip(json)}\``;
  if (json === null) return 'null';
  if (typeof json === 'number' || typeof json === 'boolean') return `\`${json}\``;
  return Array.isArray(json) ? 'a list' : `a ${typeof json}`;
}

const clip = (text: string): string => (text.length > 80 ? `${text.slice(0, 77)}…` : text);

function fail(code: string, path: string, message: string, hint?: string): never {
  const where: ErrorWhere = path === '' ? {} : { path };
  throw new PlumblineError(code, message, hint === undefined ? { where } : { where, hint });
}
