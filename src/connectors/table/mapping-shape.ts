import { z } from 'zod';

/** Caps of one mapping document. */
const MAX_FILES = 20;
const MAX_COLUMNS = 500;
const MAX_TABLES = 50;
const MAX_SOURCES = 50;
const MAX_CHANGES = 20;
const MAX_VALUES = 5_000;

const name = z.string().regex(/^[a-z][a-z0-9_]{0,63}$/, 'expected a name such as by_account: lower case, digits, _');
const scalar = z.union([z.string().max(1_000), z.number(), z.boolean()]);
const cel = z.string().min(1);
/** `null` of YAML, written with quotes or without. */
const nothing = z.union([z.null(), z.literal('null')]).transform(() => 'null' as const);
const capped = <T extends z.ZodType>(value: T, cap: number) =>
  z.record(z.string().min(1).max(200), value).refine((map) => Object.keys(map).length <= cap, `at most ${cap} entries`);
const named = <T extends z.ZodType>(value: T, cap: number) =>
  z.record(name, value).refine((map) => Object.keys(map).length <= cap, `at most ${cap} entries`);

const columnType = z.enum(['string', 'number', 'int', 'bool', 'date']);
const column = z.strictObject({
  header: z.string().min(1).max(200).optional(),
  type: columnType,
  format: z.string().optional(),
  nulls: z.array(z.string()).max(50).default([]),
  empty: z.union([z.literal('error'), nothing, z.strictObject({ value: scalar })]).default('null'),
  values: capped(z.string(), MAX_VALUES).optional(),
  other: z.union([z.enum(['error', 'keep']), nothing]).optional(),
  true: z.array(z.string()).min(1).max(20).optional(),
  false: z.array(z.string()).min(1).max(20).optional(),
  decimal: z.enum(['.', ',']).default('.'),
  thousands: z.enum(['.', ',', ' ', "'", '\u00a0', '\u202f']).optional(),
});

const file = z.strictObject({
  name: z.string().min(1).max(200),
  delimiter: z.enum([',', ';', 'tab', '|']).default(','),
  trim: z.boolean().default(true),
  columns: capped(z.union([columnType, column]), MAX_COLUMNS),
});

const lookup = z.strictObject({
  table: name,
  key: cel,
  aliases: capped(z.string(), MAX_VALUES).default({}),
  missing: z.union([z.literal('error'), nothing]).default('error'),
});

const condition = { when: cel.optional(), default: scalar.optional() };
const aggregate = z.union([
  z.strictObject({ count: z.literal(true), ...condition }),
  z.strictObject({ sum: cel, ...condition }),
  z.strictObject({ max: cel, ...condition }),
  z.strictObject({ min: cel, ...condition }),
  z.strictObject({ latest: cel, by: cel, ...condition }),
]);

const table = z.strictObject({
  file: name,
  when: cel.optional(),
  lookups: named(lookup, MAX_TABLES).default({}),
  key: cel,
  values: named(aggregate, MAX_COLUMNS).optional(),
});

const emptyPolicy = z.union([z.enum(['leave_out', 'clear']), z.strictObject({ value: scalar })]);
const field = z.union([
  cel,
  z.number(),
  z.boolean(),
  z.strictObject({ const: scalar }),
  z.strictObject({ cel, empty: emptyPolicy.optional() }),
]);

const change = z.strictObject({
  when: cel.optional(),
  entity: z.enum(['deal', 'account']),
  op: z.enum(['upsert', 'delete']).default('upsert'),
  id: cel,
  account_id: z
    .union([cel, z.strictObject({ cel, empty: z.enum(['leave_out', 'clear']).default('leave_out') })])
    .optional(),
  changed_at: cel,
  sequence: z.union([z.int().min(0).max(999), cel]).default(0),
  version: cel.optional(),
  empty: z.enum(['leave_out', 'clear']).default('leave_out'),
  fields: capped(field, MAX_COLUMNS).default({}),
});

const source = z.strictObject({
  file: name,
  when: cel.optional(),
  lookups: named(lookup, MAX_TABLES).default({}),
  changes: z.array(change).min(1).max(MAX_CHANGES),
});

/** The shape of a mapping document; docs/import.md tells what each part means. */
export const mappingShape = z.strictObject({
  apiVersion: z.literal('plumbline/v1'),
  kind: z.literal('ImportMapping'),
  name: z.string().regex(/^[a-z0-9][a-z0-9-]{0,63}$/, 'expected a name such as crm-export: lower case, digits, -'),
  description: z.string().max(10_000).optional(),
  order: z.enum(['file', 'time']).default('file'),
  params: named(z.union([scalar, z.strictObject({ date: z.string() })]), 100).default({}),
  ignore: z.array(z.string().min(1).max(200)).max(100).default([]),
  files: named(file, MAX_FILES),
  tables: named(table, MAX_TABLES).default({}),
  rows: z.array(source).min(1).max(MAX_SOURCES),
});

export type MappingDocument = z.infer<typeof mappingShape>;
export type ColumnDocument = z.infer<typeof column>;
export type LookupDocument = z.infer<typeof lookup>;
export type AggregateDocument = z.infer<typeof aggregate>;
export type ChangeDocument = z.infer<typeof change>;
export type FieldDocument = z.infer<typeof field>;
