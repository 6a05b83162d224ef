import type { CompiledSet } from '../compiler/compile.ts';
import { PlumblineError } from '../errors.ts';
import type { Waiver } from '../ingest/image.ts';
import {
  type Contract,
  ContractBreach,
  decodeJson,
  type Fields,
  type FieldType,
  parseInstant,
  type RecordValue,
  type Value,
} from '../language/contract.ts';
import { isPosture, type Posture } from './posture.ts';
import type { Cause, EvidenceWaiver, Result } from './result.ts';
import { answer, type Subject } from './score.ts';

/** What a result was made from, decoded. */
export interface Evidenced {
  readonly own: Fields;
  readonly account: Fields | null;
  readonly now: number;
  readonly subject: Subject;
}

export interface Reproduction {
  readonly same: boolean;
  /** The first member (sorted by name) that differs, as JSON on both sides; null where all are the same. */
  readonly difference: { readonly path: string; readonly recorded: string; readonly recomputed: string } | null;
}

/** What transport adds to a result: it is not hashed. */
const TRANSPORT: ReadonlySet<string> = new Set([
  'control_offset',
  'input_offset',
  'trace_id',
  'span_id',
  'traceparent',
]);

/**
 * Recomputes a result from its evidence and compares all that is hashed, byte for byte.
 * @throws PlumblineError PLB-RESULT-MALFORMED, PLB-RESULT-VERSION
 */
export function reproduce(set: CompiledSet, recorded: Result): Reproduction {
  if (recorded.set !== set.name || recorded.set_version !== set.version)
    throw new PlumblineError(
      'PLB-RESULT-VERSION',
      `the result is of \`${recorded.set}\` ${String(recorded.set_version).slice(0, 12)}, the set is \`${set.name}\` ${set.version.slice(0, 12)}`,
      {
        hint: 'give the set as it was when the result was made',
      },
    );
  const recomputed = answer(set, decodeEvidence(set, recorded).subject).result;
  const hashed = Object.fromEntries(Object.entries(recorded).filter(([name]) => !TRANSPORT.has(name)));
  const difference = firstDifference('', hashed, recomputed);
  return { same: difference === null, difference };
}

/** The decoded evidence of a result. Fields that the set doesn't read are null. */
export function decodeEvidence(set: CompiledSet, result: Result): Evidenced {
  const { contracts } = set.checked;
  try {
    const evidence = result.evidence;
    const own = decodeFields(contracts[set.entity], evidence[set.entity]);
    if (!own) throw malformed('evidence', `no ${set.entity} in it`);
    const account = set.entity === 'deal' ? decodeFields(contracts.account, evidence.account) : null;
    const now = instant(result.now, 'now');
    const subject: Subject = {
      entity: result.entity,
      id: result.id,
      accountId: result.account_id,
      version: result.version,
      imageSeq: result.image_seq,
      cause: causeOf(result.cause),
      fields: own,
      account,
      waivers: evidence.waivers.map((waiver) => waiverOf(set, waiver)),
      now,
      previousBand: posture(result.previous_band),
      previousPosture: posture(result.previous_posture),
      ...(result.fallback_from ? { fallbackFrom: result.fallback_from } : {}),
    };
    return { own, account, now, subject };
  } catch (error) {
    if (error instanceof ContractBreach) throw malformed(error.breach.path, error.breach.message);
    if (error instanceof TypeError) throw malformed('', 'a member is missing or of a wrong type');
    throw error;
  }
}

function causeOf(cause: Cause): Cause {
  if (typeof cause !== 'object' || cause === null || typeof cause.kind !== 'string')
    throw malformed('cause', 'not a cause');
  return cause;
}

function waiverOf(set: CompiledSet, waiver: EvidenceWaiver): Waiver {
  return {
    set: set.name,
    constraint: waiver.constraint,
    by: waiver.by,
    role: waiver.role,
    grantedAt: instant(waiver.granted_at, 'granted_at'),
    until: instant(waiver.until, 'until'),
    value: waiver.value,
  };
}

function posture(value: unknown): Posture | null {
  if (value === null || value === undefined) return null;
  if (isPosture(value)) return value;
  throw malformed('previous_band', 'not a posture');
}

function instant(text: string, path: string): number {
  const ms = parseInstant(text);
  if (ms === null) throw malformed(path, 'not an instant');
  return ms;
}

const malformed = (path: string, message: string): PlumblineError =>
  new PlumblineError('PLB-RESULT-MALFORMED', `not a result of Plumbline: ${message}`, {
    where: { path },
    hint: 'give results as `plumbline score` or `plumbline results` print them',
  });

function decodeFields(contract: Contract, json: Fields | null | undefined): Fields | null {
  if (json === null || json === undefined) return null;
  const fields: { [name: string]: Value } = {};
  for (const field of contract.fields.values()) {
    const value = Object.hasOwn(json, field.name) ? json[field.name] : null;
    fields[field.name] = value === null || value === undefined ? null : decodeCut(field.type, value, field.name);
  }
  return fields;
}

/** Lists of records were cut down to the sub-fields read, so one that is absent here counts as null. */
function decodeCut(type: FieldType, value: Value, path: string): Value {
  if (type.kind !== 'list' || type.items.kind !== 'record' || !Array.isArray(value))
    return decodeJson(type, value, path);
  const { fields } = type.items;
  return value.map((item: RecordValue, index) => {
    const record: { [name: string]: Value } = {};
    for (const field of fields.values()) {
      const sub = item[field.name];
      record[field.name] =
        sub === null || sub === undefined ? null : decodeJson(field.type, sub, `${path}[${index}].${field.name}`);
    }
    return record;
  });
}

function firstDifference(path: string, recorded: unknown, recomputed: unknown): Reproduction['difference'] {
  if (isObject(recorded) && isObject(recomputed)) {
    for (const key of [...new Set([...Object.keys(recorded), ...Object.keys(recomputed)])].sort()) {
      const found = firstDifference(path === '' ? key : `${path}.${key}`, recorded[key], recomputed[key]);
      if (found) return found;
    }
    return null;
  }
  const [a, b] = [JSON.stringify(recorded) ?? 'nothing', JSON.stringify(recomputed) ?? 'nothing'];
  return a === b ? null : { path, recorded: a, recomputed: b };
}

const isObject = (value: unknown): value is { readonly [key: string]: unknown } =>
  typeof value === 'object' && value !== null;
