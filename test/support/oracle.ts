import {
  CelScalar,
  type CelValue,
  celEnv,
  celFunc,
  isCelError,
  isCelList,
  objectType,
  parse,
  plan,
} from '@bufbuild/cel';
import { strings } from '@bufbuild/cel/ext';
import { create, isMessage } from '@bufbuild/protobuf';
import { DurationSchema, TimestampSchema } from '@bufbuild/protobuf/wkt';
import type { Contract, Field, Fields, FieldType, RecordValue, Value } from '../../src/language/contract.ts';
import { contracts, MISSING } from './evaluate-expression.ts';

/** An evaluator that is not ours: a null field is a key that its map has not, so that reading it is an error. */

const DURATION = objectType(DurationSchema);
const env = celEnv({
  funcs: [
    ...strings,
    celFunc('days', [DURATION], CelScalar.DOUBLE, (duration) => {
      const { seconds, nanos } = duration.message as unknown as { seconds: bigint; nanos: number };
      return (Number(seconds) * 1000 + nanos / 1e6) / 86_400_000;
    }),
  ],
});

const timestamp = (ms: number) =>
  create(TimestampSchema, { seconds: BigInt(Math.floor(ms / 1000)), nanos: (((ms % 1000) + 1000) % 1000) * 1_000_000 });

function toCel(type: FieldType, value: Value): unknown {
  switch (type.kind) {
    case 'int':
      return BigInt(value as number);
    case 'instant':
      return timestamp(value as number);
    case 'date':
      return timestamp((value as number) * 86_400_000);
    case 'list':
      return (value as Value[]).map((item) => toCel(type.items, item));
    case 'record':
      return toMap(type.fields, value as RecordValue);
    default:
      return value;
  }
}

function toMap(fields: ReadonlyMap<string, Field>, values: Fields): Map<string, unknown> {
  const map = new Map<string, unknown>();
  for (const field of fields.values()) {
    const value = values[field.name];
    if (value !== null && value !== undefined) map.set(field.name, toCel(field.type, value));
  }
  return map;
}

const entityMap = (contract: Contract, fields: Fields | null): Map<string, unknown> =>
  fields ? toMap(contract.fields, fields) : new Map();

export function oracle(text: string): (deal: Fields, account: Fields | null, now: number) => Value {
  const run = plan(env, parse(text)) as (bindings: { [name: string]: unknown }) => unknown;
  return (deal, account, now) => {
    const answer = run({
      deal: entityMap(contracts.deal, deal),
      account: entityMap(contracts.account, account),
      now: timestamp(now),
    });
    return isCelError(answer) ? MISSING : fromCel(answer as CelValue);
  };
}

function fromCel(value: CelValue): Value {
  if (typeof value === 'bigint') return Number(value);
  if (typeof value === 'number' || typeof value === 'string' || typeof value === 'boolean') return value;
  if (isCelList(value)) return [...value].map((item) => fromCel(item));
  const message = (value as { message?: unknown } | null)?.message ?? value;
  if (isMessage(message, TimestampSchema) || isMessage(message, DurationSchema))
    return Number(message.seconds) * 1000 + message.nanos / 1e6;
  throw new Error(`the oracle answered with ${String(value)}`);
}
