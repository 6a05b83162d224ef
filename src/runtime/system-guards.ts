import type { SystemGuard, SystemMetric } from '../rollout/policy.ts';
import type { Verdict } from '../scoring/control-fact.ts';
import type { SystemPosture } from './health.ts';

/** What was seen of the system at one time. Left out: it could not be measured. */
export interface SystemSample {
  readonly at: number;
  readonly values: { readonly [K in SystemMetric]?: number };
}

export interface SystemReading {
  readonly metric: SystemMetric;
  /** null: it can't tell. */
  readonly posture: SystemPosture | null;
  readonly verdict: Verdict;
  readonly value: number | null;
  /** What it is over, else what it has to stay under. */
  readonly limit: number;
}

/** Samples that are kept: one a second for the longest window that a guard may have. */
export const MAX_SAMPLES = 3_600;

const POSTURES: readonly SystemPosture[] = ['nominal', 'degraded', 'critical'];
/** What only counts up is measured by how much it rose; of all others a guard asks what they never fell below. */
const COUNTED: ReadonlySet<SystemMetric> = new Set<SystemMetric>(['dead_letters']);

/** Each guard over its window: what lasts counts, not a moment. */
export const readSystem = (
  guards: readonly SystemGuard[],
  samples: readonly SystemSample[],
  now: number,
): readonly SystemReading[] =>
  guards.map((guard) => {
    const value = measure(guard, samples, now);
    const { metric, degradedOver, criticalOver } = guard;
    if (value === null) return { metric, posture: null, verdict: 'inconclusive', value, limit: degradedOver };
    const posture = value > criticalOver ? 'critical' : value > degradedOver ? 'degraded' : 'nominal';
    const limit = posture === 'critical' ? criticalOver : degradedOver;
    return { metric, posture, verdict: posture === 'nominal' ? 'pass' : 'fail', value, limit };
  });

function measure(
  { metric, windowMs, minSamples }: SystemGuard,
  samples: readonly SystemSample[],
  now: number,
): number | null {
  const values = samples.flatMap(({ at, values: { [metric]: value } }) =>
    at > now - windowMs && value !== undefined ? [value] : [],
  );
  const first = values[0];
  const last = values[values.length - 1];
  if (values.length < minSamples || first === undefined || last === undefined) return null;
  return COUNTED.has(metric) ? Math.max(0, last - first) : Math.min(...values);
}

export interface SystemState {
  readonly posture: SystemPosture;
  /** Since when all guards have said less; null: they don't. */
  readonly betterSince: number | null;
}

export const NOMINAL: SystemState = { posture: 'nominal', betterSince: null };

/** Worse at once, better only after a while: what swings around a limit doesn't swing the posture. */
export function nextPosture(
  before: SystemState,
  readings: readonly SystemReading[],
  recoverAfterMs: number,
  now: number,
): SystemState {
  const worst = Math.max(0, ...readings.map(({ posture }) => (posture === null ? 0 : POSTURES.indexOf(posture))));
  const said = POSTURES[worst] ?? 'critical';
  if (worst >= POSTURES.indexOf(before.posture)) return { posture: said, betterSince: null };
  const betterSince = before.betterSince ?? now;
  return now - betterSince >= recoverAfterMs ? { posture: said, betterSince: null } : { ...before, betterSince };
}
