import { z } from 'zod';

/** The shape of a constraint set's document; the JSON Schema that editors use is generated from it. */

const NAME = /^[a-z][a-z0-9-]{0,62}$/;
const PARAMETER = /^[a-z][a-z0-9_]{0,62}$/;
const DURATION = /^[1-9]\d{0,5}(d|h|m)$/;

const severity = z.enum(['low', 'medium', 'high', 'critical']);
const posture = z.enum(['healthy', 'watch', 'at_risk', 'critical']);
const expression = z.string().min(1);
const duration = z.string().regex(DURATION, 'expected a duration such as 30d, 12h or 90m');
const text = (max: number) => z.string().min(1).max(max);
const number = z.number();
const scalar = z.union([z.string(), z.number(), z.boolean()]);

const parameter = z.strictObject({
  type: z.enum(['double', 'int', 'string', 'bool']).describe('Money, percentages and days are doubles.'),
  default: scalar.describe('The value where no segment gives another.'),
  min: number.optional().describe('Tuning may not go below it.'),
  max: number.optional().describe('Tuning may not go above it.'),
  unit: text(40).optional().describe('Such as percent, days or tickets; for people.'),
  description: text(1000).optional(),
  by: z
    .strictObject({
      field: z.string().describe('A path such as deal.segment.'),
      values: z.record(z.string().max(200), scalar).describe('The value by segment; others take the default.'),
    })
    .optional()
    .describe('Other values for a segment: by an enum or a string of the deal or its account.'),
});

const constraint = z.strictObject({
  id: z
    .string()
    .regex(NAME, 'expected lower-case words joined by hyphens, at most 63 characters')
    .describe('Unique in the set; results, waivers and examples name it.'),
  title: text(200).describe('What it wants, in one line.'),
  description: text(4000).optional().describe('Why it is there, for people.'),
  severity: severity.describe('Chooses the floor in scoring.severity_floor; it does not change the score.'),
  weight: z.int().min(1).max(1000).describe('Its share of the score, against the weights of the others that apply.'),
  when: expression
    .optional()
    .describe('A condition (CEL): where it is false the constraint is not applicable, where it is missing unknown.'),
  require: expression.optional().describe('A condition (CEL) that must be true. Either this or `grade`.'),
  grade: expression
    .optional()
    .describe('A double (CEL), clamped to 0..1: how well it is met. Either this or `require`.'),
  violated_below: z.number().min(0).max(1).optional().describe('A grade below it is violated; 0.5 unless told.'),
  on_missing: z
    .enum(['violated', 'satisfied', 'unknown'])
    .optional()
    .describe('The outcome where `require` or `grade` lacks its data; demanded where that can be.'),
  message: text(1000).describe('What is wrong, told when it is violated or waived; {{…}} holds an expression.'),
  fix: text(1000).optional().describe('What to do about it.'),
  waiver: z
    .strictObject({
      by: z.array(text(100)).min(1).max(20).describe('Roles that may waive it.'),
      for_at_most: duration.describe('A longer waiver is not valid. Such as 30d, 12h or 90m.'),
    })
    .optional()
    .describe('Without it nobody may waive the constraint.'),
  owner: text(200).optional().describe('The role that looks after the constraint.'),
});

const ids = z.array(z.string()).max(1000);
const instant = z.string().describe('An RFC 3339 instant.');
const fields = z.record(z.string(), z.unknown());
const idsOf = (outcome: string) => ids.optional().describe(`Exactly these constraints are ${outcome}.`);

const example = z.strictObject({
  name: text(200).describe('What it shows, in one line.'),
  now: instant.describe('The time at which it is judged; an RFC 3339 instant.'),
  deal: fields.optional().describe('Fields by name; those left out are null.'),
  account: fields.optional().describe('Fields by name; left out for a deal, its account is absent.'),
  previous_band: posture.optional().describe('For hysteresis; none unless told.'),
  waivers: z
    .array(
      z.strictObject({ constraint: z.string(), by: text(200), role: text(100), granted_at: instant, until: instant }),
    )
    .max(100)
    .optional()
    .describe('Waivers given for the present values.'),
  expect: z
    .strictObject({
      score: z.number().min(0).max(100).optional(),
      coverage: z.number().min(0).max(1).optional().describe('With four decimals.'),
      band: posture.optional(),
      posture: posture.optional(),
      satisfied: idsOf('satisfied'),
      violated: idsOf('violated'),
      waived: idsOf('waived'),
      unknown: idsOf('unknown'),
      not_applicable: idsOf('not applicable'),
    })
    .describe('Only what is named here is compared.'),
});

export const documentShape = z
  .strictObject({
    apiVersion: z.literal('plumbline/v1'),
    kind: z.literal('ConstraintSet'),
    name: z
      .string()
      .regex(NAME, 'expected lower-case words joined by hyphens, at most 63 characters')
      .describe('Stays the same from version to version.'),
    description: text(4000).optional(),
    entity: z.enum(['deal', 'account']).describe('What is judged. A set on deals also sees the deal’s account.'),
    time_zone: z.string().max(64).default('UTC').describe('Where a date without a time begins.'),
    recheck_every: duration
      .optional()
      .describe('When to look again where the compiler cannot tell when an answer changes.'),
    parameters: z
      .record(z.string().regex(PARAMETER, 'expected lower-case words joined by underscores'), parameter)
      .default({})
      .describe('Numbers and texts that tuning may move: params.NAME in expressions.'),
    scoring: z
      .strictObject({
        bands: z
          .strictObject({
            watch: z.number().min(0).max(100),
            at_risk: z.number().min(0).max(100),
            critical: z.number().min(0).max(100),
          })
          .describe('A score below one of them is in that band; they fall from watch to critical.'),
        hysteresis: z
          .number()
          .min(0)
          .max(100)
          .default(0)
          .describe('Points above its band that a score needs to leave it.'),
        severity_floor: z
          .partialRecord(severity, posture)
          .default({})
          .describe('The posture is at least this while a constraint of the severity is violated.'),
        minimum_coverage: z
          .strictObject({
            share: z.number().min(0).max(1).describe('Of the weight that applies, how much must be known.'),
            posture: posture.describe('At least this posture where less is known.'),
          })
          .optional()
          .describe('What too much missing data means.'),
      })
      .describe('How outcomes become score, band and posture.'),
    constraints: z.array(constraint).min(1).max(2000),
    examples: z.array(example).max(2000).default([]).describe('Run by `plumbline test`.'),
  })
  .meta({ title: 'Plumbline constraint set', description: 'See docs/language.md.' });

export type SetDocument = z.infer<typeof documentShape>;
export type ConstraintDocument = SetDocument['constraints'][number];
export type ExampleDocument = SetDocument['examples'][number];
export type ParameterDocument = SetDocument['parameters'][string];
export type Severity = z.infer<typeof severity>;

const UNIT_MS: { readonly [unit: string]: number } = { d: 86_400_000, h: 3_600_000, m: 60_000 };

/** Milliseconds of a document's duration: `30d`, `12h`, `90m`. */
export function documentDurationMs(duration: string): number {
  return Number(duration.slice(0, -1)) * (UNIT_MS[duration.slice(-1)] ?? 0);
}

/** JSON Schema of the document, for editors. */
export function documentJsonSchema(): unknown {
  return z.toJSONSchema(documentShape, { io: 'input', target: 'draft-7' });
}
