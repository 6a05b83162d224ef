import { z } from 'zod';

const MAX_KEYS = 100;
const MAX_STEPS = 20;
const MAX_GUARDS = 20;
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
        metric: z.enum(['fault_share', 'unknown_share', 'critical_share', 'unexpected_moves']),
        at_most: z.number().min(0),
        min_answers: z.int().min(1),
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
});

export type PolicyDocument = z.infer<typeof policyShape>;
