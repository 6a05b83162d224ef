import type { Contracts } from '../../../schemas/contracts.ts';
import { PlumblineError } from '../../errors.ts';
import type { Change } from '../../ingest/change.ts';
import { decodeChange } from '../../ingest/decode-change.ts';
import { type FieldType, formatDate, formatInstant } from '../../language/contract.ts';
import { describe, evaluate, holds } from '../mapping/evaluate.ts';
import type { ChangeSpec, FieldSpec, SourceSpec } from './mapping.ts';
import type { RowExpression, RowScope } from './row-expressions.ts';

/** Changes of one millisecond are told apart by three digits. */
const SEQUENCES = 1_000;
const DAY_MS = 86_400_000;

/** A change and what orders it among those of its time. */
export interface Mapped {
  readonly change: Change;
  readonly sequence: number;
}

/** The changes of one row: all of them, or an error and none. @throws PlumblineError PLB-MAP-*, PLB-FIELD-*, PLB-CHANGE-* */
export function rowChanges(source: SourceSpec, scope: RowScope, mappingName: string, contracts: Contracts): Mapped[] {
  if (!holds(source.when, scope, '`when`')) return [];
  return source.changes
    .filter((spec) => holds(spec.when, scope, '`when` of a change'))
    .map((spec) => toChange(spec, scope, mappingName, contracts));
}

function toChange(spec: ChangeSpec, scope: RowScope, mappingName: string, contracts: Contracts): Mapped {
  const id = text(spec.id, scope, 'id');
  const changedAt = evaluate(spec.changedAt, scope, '`changed_at`');
  if (!(changedAt instanceof Date) || Number.isNaN(changedAt.getTime()))
    throw new PlumblineError('PLB-MAP-TYPE', `\`changed_at\` is ${describe(changedAt)}, expected a date`, {
      hint: 'a row without a date needs a stated one, such as a parameter',
    });
  const sequence = readSequence(spec.sequence, scope);
  const version =
    spec.version === null ? versionOf(changedAt.getTime(), sequence) : text(spec.version, scope, 'version');
  const json: { [name: string]: unknown } = {
    event_id: `${mappingName}:${spec.entity}:${id}:${version}`,
    entity: spec.entity,
    id,
    version,
    changed_at: formatInstant(changedAt.getTime()),
    op: spec.op,
  };
  if (spec.accountId !== null) {
    const account = evaluate(spec.accountId.value, scope, '`account_id`');
    if (account !== null || spec.accountId.empty === 'clear') json.account_id = account;
  }
  if (spec.op === 'upsert') Object.assign(json, fieldsOf(spec.fields, scope));
  return { change: decodeChange(json, contracts), sequence };
}

function text(expression: RowExpression, scope: RowScope, name: string): string {
  const value = evaluate(expression, scope, `\`${name}\``);
  if (typeof value === 'string' && value !== '') return value;
  const hint = value === null ? 'the cell is empty' : 'string(…) makes a text of a number';
  throw new PlumblineError('PLB-MAP-TYPE', `\`${name}\` is ${describe(value)}, expected a text`, { hint });
}

function readSequence(sequence: RowExpression | number, scope: RowScope): number {
  if (typeof sequence === 'number') return sequence;
  const value = Number(evaluate(sequence, scope, '`sequence`'));
  if (Number.isInteger(value) && value >= 0 && value < SEQUENCES) return value;
  throw new PlumblineError(
    'PLB-MAP-TYPE',
    `\`sequence\` is ${value}, expected a whole number from 0 to ${SEQUENCES - 1}`,
  );
}

/** A version is the change's milliseconds followed by the sequence. */
function versionOf(ms: number, sequence: number): string {
  if (ms < 0)
    throw new PlumblineError('PLB-MAP-VERSION', 'a change before 1970 has no version made from its time', {
      hint: 'give the mapping a `version`',
    });
  return String(BigInt(ms) * BigInt(SEQUENCES) + BigInt(sequence));
}

function fieldsOf(specs: readonly FieldSpec[], scope: RowScope): { fields: object; cleared: readonly string[] } {
  const fields: { [name: string]: unknown } = {};
  const cleared: string[] = [];
  for (const spec of specs) {
    if ('constant' in spec.value) {
      fields[spec.name] = spec.value.constant;
      continue;
    }
    const value = evaluate(spec.value, scope, `field \`${spec.name}\``);
    if (value !== null) fields[spec.name] = toJson(spec.type, value, spec.name);
    else if (spec.empty === 'clear') cleared.push(spec.name);
    else if (spec.empty !== 'leave_out') fields[spec.name] = spec.empty.value;
  }
  return { fields, cleared };
}

/** What CEL gave, as the JSON form of its field: the codec then checks it like any other change. */
function toJson(type: FieldType, value: unknown, path: string): unknown {
  if (value instanceof Date && !Number.isNaN(value.getTime())) {
    if (type.kind === 'date') return formatDate(Math.floor(value.getTime() / DAY_MS));
    if (type.kind === 'instant') return formatInstant(value.getTime());
  }
  if (type.kind === 'double' || type.kind === 'int')
    // A text would be a number only by guessing.
    return typeof value === 'bigint' ? Number(value) : value;
  if (type.kind === 'list' && Array.isArray(value))
    return value.map((item, index) => (item === null ? null : toJson(type.items, item, `${path}[${index}]`)));
  if (type.kind === 'record' && isRecord(value))
    return Object.fromEntries(
      [...entriesOf(value)].map(([name, item]) => {
        const field = type.fields.get(name);
        return [name, field && item !== null ? toJson(field.type, item, `${path}.${name}`) : item];
      }),
    );
  if (typeof value === 'string' || typeof value === 'boolean') return value;
  throw new PlumblineError('PLB-MAP-TYPE', `field \`${path}\` is ${describe(value)}, expected ${article(type.kind)}`);
}

const article = (kind: string): string => (/^[aeiou]/.test(kind) ? `an ${kind}` : `a ${kind}`);
const isRecord = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const entriesOf = (value: object): Iterable<[string, unknown]> =>
  value instanceof Map ? (value as Map<string, unknown>).entries() : Object.entries(value);
