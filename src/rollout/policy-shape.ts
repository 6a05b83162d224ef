import { z } from 'zod';
import type { ExpectedMove } from '../scoring/control-fact.ts';
import { METRICS } from './guards.ts';
import { parseMove } from './moves.ts';
import { SYSTEM_METRICS } from './policy.ts';

const MAX_KEYS = 100;
const MAX_STEPS = 20;
const MAX_GUARDS = 20;
const MAX_EXAMPLES = 200;
const MAX_SYSTEM_WINDOW_MS = 3_600_000;
const STANDS = /^(healthy|watch|at_risk|critical)>(healthy|watch|at_risk|critical|fault)$/;
const DAY_MS = 86_400_000;
const MAX_ACCOUNTS = 500;

const name = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._@-]{0,99}$/, 'expected a name such as deal-desk or ann@example.com');
const share = z.number().min(0).max(1);
/** `90s`, `10m`, `1h`, `2d`. */
const duration = z
  .string()
  .regex(/^\d{1,4}[smhd]$/, 'expected a duration such as 90s, 10m, 1h or 2d')
  .transform(durationMs);

const UNITS: { readonly [unit: string]: number } = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

function durationMs(text: string): number {
  return Number(text.slice(0, -1)) * (UNITS[text.slice(-1)] ?? 0);
}

/** They travel with each step's fact. */
const accounts = z.array(z.string().min(1).max(256)).max(MAX_ACCOUNTS).default([]);

const gate = { min_answers: z.int().min(1).max(1_000_000), min_duration: duration };

function toMove(text: string, context: z.RefinementCtx): ExpectedMove {
  const move = parseMove(text);
  if (move !== null) return move;
  context.addIssue({ code: 'custom', message: 'expected FROM>TO=COUNT or FROM>TO=SHARE%, such as healthy>watch=12' });
  return z.NEVER;
}

const count = z.int().min(0).default(0);
const verdict = z.enum(['pass', 'fail', 'inconclusive']);

/** What a version was counted to do, and what the guards say to it. */
const example = z.strictObject({
  name: z.string().min(1).max(200),
  counted: z.strictObject({
    answers: count,
    faults: count,
    outcomes: count,
    unknown: count,
    cost: count,
    /** Entities by where they stand under the active version and the one on its way: `healthy>watch: 3`. */
    stand: z.record(z.string().regex(STANDS, 'expected FROM>TO, such as healthy>watch'), z.int().min(0)).default({}),
  }),
  /** Moves that were proposed, as `propose --expect` has them. */
  proposed: z.array(z.string().transform(toMove)).max(100).default([]),
  expect: z.strictObject({ verdict, guards: z.partialRecord(z.enum(METRICS), verdict).default({}) }),
});

/** The shape of a policy; docs/rollouts.md tells what each part means. */
export const policyShape = z.strictObject({
  apiVersion: z.literal('plumbline/v1'),
  kind: z.literal('RolloutPolicy'),
  name: z.string().regex(/^[a-z0-9][a-z0-9-]{0,63}$/, 'expected a name such as revops: lower case, digits, -'),
  approvals: z.strictObject({
    needed: z.int().min(1).max(20),
    roles: z.array(name).max(50).default([]),
  }),
  keys: z
    .array(z.strictObject({ name, role: name, public_key: z.string().min(1).max(2_000) }))
    .min(1)
    .max(MAX_KEYS),
  shadow: z.strictObject(gate),
  canary: z.strictObject({
    ...gate,
    steps: z.array(share.gt(0).lt(1)).max(MAX_STEPS),
    min_accounts: z.int().min(0).max(1_000),
    automatic: z.boolean().default(true),
    pinned: accounts,
    excluded: accounts,
  }),
  guards: z
    .array(
      z.strictObject({
        metric: z.enum(METRICS),
        at_most: z.number().min(0),
        min_answers: z.int().min(1),
        window: duration.optional(),
      }),
    )
    .min(1)
    .max(MAX_GUARDS),
  active_faults: z.int().min(1).default(10),
  follow_ups: z
    .strictObject({
      owner: name.optional(),
      escalate_to: name.optional(),
      approval_within: duration.default(DAY_MS * 3),
      gate_within: duration.default(DAY_MS * 7),
      risk_within: duration.default(DAY_MS),
    })
    .prefault({}),
  system: z
    .strictObject({
      guards: z
        .array(
          z.strictObject({
            metric: z.enum(SYSTEM_METRICS),
            degraded_over: z.number().min(0),
            critical_over: z.number().min(0),
            window: duration.refine((ms) => ms <= MAX_SYSTEM_WINDOW_MS, 'at most 1h: one sample a second is kept'),
            min_samples: z.int().min(1).max(3_600).default(5),
          }),
        )
        .max(MAX_GUARDS)
        .optional(),
      recover_after: duration.default(60_000),
    })
    .prefault({}),
  budget: z
    .strictObject({
      caps: z
        .array(z.strictObject({ metric: z.enum(SYSTEM_METRICS).exclude(['dead_letters']), at_most: z.number().min(0) }))
        .max(MAX_GUARDS)
        .optional(),
      swept_per_second: z.int().min(1).max(1_000_000).default(250),
      in_flight: z.int().min(1).max(100_000).default(2_000),
      shed_after: duration.default(10_000),
      relax_after: duration.default(30_000),
    })
    .prefault({}),
  examples: z.array(example).max(MAX_EXAMPLES).default([]),
});

export type PolicyDocument = z.infer<typeof policyShape>;
