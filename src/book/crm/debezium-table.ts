import { type Contract, type FieldType, formatInstant, type Value } from '../../language/contract.ts';
import type { RecordState } from './steps.ts';

/** A column of a table that has the contract's names: what Kafka Connect calls its type, and a value in it. */
export interface Column {
  readonly name: string;
  readonly schema: { readonly type: string; readonly [name: string]: unknown };
  readonly formOf: (id: string, state: RecordState) => unknown;
}

const TEXT = { type: 'string' };
const DATE = { type: 'int32', name: 'io.debezium.time.Date', version: 1 };
/** `timestamp with time zone`, and `timestamp` without. */
const ZONED = { type: 'string', name: 'io.debezium.time.ZonedTimestamp', version: 1 };
const MICROS = { type: 'int64', name: 'io.debezium.time.MicroTimestamp', version: 1 };
const SCALE = 2;
/** `numeric(14,2)`. */
const MONEY = {
  type: 'bytes',
  name: 'org.apache.kafka.connect.data.Decimal',
  version: 1,
  parameters: { scale: String(SCALE), 'connect.decimal.precision': '14' },
};

const IS_MONEY: ReadonlySet<string> = new Set(['amount', 'list_price', 'annual_revenue']);
const IS_ZONED: ReadonlySet<string> = new Set(['created_at', 'signed_up_at', 'closed_at', 'last_activity_at']);

export function columnsOf(contract: Contract): readonly Column[] {
  return [...contract.fields].flatMap(([name, { type }]): Column[] => {
    if (type.kind === 'list') return [];
    if (name === 'id') return [{ name, schema: TEXT, formOf: (id) => id }];
    if (name === 'account_id')
      return [{ name, schema: { ...TEXT, optional: true }, formOf: (_, { accountId }) => accountId }];
    const { schema, form } = columnType(name, type);
    return [
      {
        name,
        schema: { ...schema, optional: true },
        formOf: (_, { fields }) => {
          const value = fields[name];
          return value === undefined || value === null ? null : form(value);
        },
      },
    ];
  });
}

type ColumnType = { readonly schema: { readonly type: string }; readonly form: (value: Value) => unknown };
const asItIs = (value: Value): Value => value;

function columnType(name: string, { kind }: FieldType): ColumnType {
  switch (kind) {
    case 'double':
      return IS_MONEY.has(name) ? { schema: MONEY, form: decimal } : { schema: { type: 'double' }, form: asItIs };
    case 'int':
      return { schema: { type: 'int32' }, form: asItIs };
    case 'bool':
      return { schema: { type: 'boolean' }, form: asItIs };
    case 'date':
      return { schema: DATE, form: asItIs };
    case 'instant':
      return IS_ZONED.has(name)
        ? { schema: ZONED, form: (value) => formatInstant(Number(value)) }
        : { schema: MICROS, form: (value) => Number(value) * 1_000 };
    default:
      return { schema: TEXT, form: asItIs };
  }
}

/** The unscaled number, big-endian in two's complement, in base64. */
function decimal(value: Value): string {
  const unscaled = BigInt(Math.round(Number(value) * 10 ** SCALE));
  let bytes = 1;
  while (BigInt.asIntN(bytes * 8, unscaled) !== unscaled) bytes++;
  const hex = BigInt.asUintN(bytes * 8, unscaled)
    .toString(16)
    .padStart(bytes * 2, '0');
  return Buffer.from(hex, 'hex').toString('base64');
}

export const rowOf = (columns: readonly Column[], id: string, state: RecordState): object =>
  Object.fromEntries(columns.map(({ name, formOf }) => [name, formOf(id, state)]));

const SOURCE_FIELDS: readonly (readonly [name: string, type: string])[] = [
  ...(['version', 'connector', 'name'] as const).map((name) => [name, 'string'] as const),
  ['ts_ms', 'int64'],
  ...(['snapshot', 'db', 'sequence', 'schema', 'table'] as const).map((name) => [name, 'string'] as const),
  ['txId', 'int64'],
  ['lsn', 'int64'],
  ['xmin', 'int64'],
];

const fieldsOf = (columns: readonly Column[]): readonly object[] =>
  columns.map(({ name, schema }) => ({ ...schema, field: name }));

export const keySchemaOf = (table: string): object => ({
  type: 'struct',
  fields: [{ type: 'string', optional: false, field: 'id' }],
  optional: false,
  name: `crm.public.${table}.Key`,
});

export function valueSchemaOf(table: string, columns: readonly Column[]): object {
  const row = { type: 'struct', fields: fieldsOf(columns), optional: true, name: `crm.public.${table}.Value` };
  const source = SOURCE_FIELDS.map(([field, type]) => ({ type, optional: true, field }));
  return {
    type: 'struct',
    fields: [
      { ...row, field: 'before' },
      { ...row, field: 'after' },
      {
        type: 'struct',
        fields: source,
        optional: false,
        name: 'io.debezium.connector.postgresql.Source',
        field: 'source',
      },
      { type: 'string', optional: false, field: 'op' },
      { type: 'int64', optional: true, field: 'ts_ms' },
    ],
    optional: false,
    name: `crm.public.${table}.Envelope`,
  };
}
