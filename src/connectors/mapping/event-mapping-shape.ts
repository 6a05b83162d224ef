import { z } from 'zod';

/** Caps of one mapping document. */
const MAX_OBJECTS = 50;
const MAX_FIELDS = 500;
const MAX_VALUES = 5_000;
const MAX_PARAMS = 100;
const MAX_SOURCES = 20;

const name = z.string().regex(/^[a-z][a-z0-9_]{0,63}$/, 'expected a name such as base_url: lower case, digits, _');
const scalar = z.union([z.string().max(1_000), z.number(), z.boolean()]);
const cel = z.string().min(1);
/** Where a value lies in the CRM's record: `Amount`, `BillingAddress.Country`. */
const path = z.string().min(1).max(200);
const capped = <T extends z.ZodType>(key: z.ZodType<string>, value: T, cap: number) =>
  z.record(key as z.ZodString, value).refine((map) => Object.keys(map).length <= cap, `at most ${cap} entries`);

/** `null` of YAML, written with quotes or without. */
const nothing = z.union([z.null(), z.literal('null')]).transform(() => 'null' as const);

const reading = {
  as: z.enum(['text', 'number', 'int', 'bool', 'date', 'instant']).optional(),
  unit: z.enum(['days', 's', 'ms', 'us', 'ns']).optional(),
};

const id = z.union([path, z.strictObject({ from: path, cel: cel.optional() }), z.strictObject({ cel })]);

const field = z.union([
  path,
  z.strictObject({ const: scalar }),
  z.strictObject({ cel }),
  z.strictObject({
    from: z.union([path, capped(name, path, MAX_SOURCES)]),
    ...reading,
    values: capped(z.string().max(1_000), z.union([scalar, nothing]), MAX_VALUES).optional(),
    other: z.union([z.enum(['error', 'keep']), nothing]).optional(),
    cel: cel.optional(),
    rows: z.boolean().default(true),
    empty: z.union([z.enum(['clear', 'leave_out']), z.strictObject({ value: scalar })]).default('clear'),
  }),
]);

const object = z.strictObject({
  entity: z.enum(['deal', 'account']),
  id: id.optional(),
  account_id: id.optional(),
  on_delete: z.enum(['delete', 'clear', 'ignore']).default('delete'),
  fields: capped(z.string().min(1).max(200), field, MAX_FIELDS).default({}),
});

export const FORMATS = ['salesforce', 'hubspot', 'pipedrive', 'debezium'] as const;
export type Format = (typeof FORMATS)[number];

/** The shape of a mapping of a CRM's events; docs/connectors.md tells what each part means. */
export const eventMappingShape = z.strictObject({
  apiVersion: z.literal('plumbline/v1'),
  kind: z.literal('EventMapping'),
  name: z.string().regex(/^[a-z0-9][a-z0-9-]{0,63}$/, 'expected a name such as salesforce-eu: lower case, digits, -'),
  description: z.string().max(10_000).optional(),
  format: z.enum(FORMATS),
  id_prefix: z
    .string()
    .regex(/^[A-Za-z0-9._:-]{0,64}$/, 'expected at most 64 letters, digits and . _ : -')
    .default(''),
  params: capped(name, scalar, MAX_PARAMS).default({}),
  ignore: z.array(z.string().min(1).max(200)).max(200).default([]),
  objects: capped(z.string().min(1).max(200), object, MAX_OBJECTS),
});

export type EventMappingDocument = z.infer<typeof eventMappingShape>;
export type ObjectDocument = z.infer<typeof object>;
export type EventFieldDocument = z.infer<typeof field>;
export type IdDocument = z.infer<typeof id>;
