import type { Budget } from '../rollout/policy.ts';
import type { SystemSample } from './system-guards.ts';

export const BUDGET_ACTION = 'budget-guard:resource-pressure-cap';

/** What is let go of, one after the other; nothing is ever dropped. */
export const SHED = ['nothing', 'sweeps', 'sweeps and shadows', 'sweeps and shadows, with a slower intake'] as const;
export type Pressure = 0 | 1 | 2 | 3;

export interface BudgetState {
  readonly pressure: Pressure;
  /** Since when it has been over, or under, its caps without a break at this pressure, ms. */
  readonly since: number;
  readonly isOver: boolean;
  /** Caps that are exceeded now. */
  readonly over: readonly string[];
}

export const noPressure = (now: number): BudgetState => ({ pressure: 0, since: now, isOver: false, over: [] });

/** The pressure rises by one for each while over a cap, and falls by one for each while under all of them. */
export function nextPressure(before: BudgetState, sample: SystemSample, budget: Budget): BudgetState {
  const { at, values } = sample;
  const over = budget.caps.flatMap(({ metric, atMost }) => {
    const value = values[metric];
    return value !== undefined && value > atMost ? [`${metric} is ${Number(value.toFixed(3))}, at most ${atMost}`] : [];
  });
  const isOver = over.length > 0;
  const since = isOver === before.isOver ? before.since : at;
  const waited = at - since;
  const { pressure } = before;
  if (isOver && pressure < 3 && (pressure === 0 || waited >= budget.shedAfterMs))
    return { pressure: raise(pressure), since: at, isOver, over };
  if (!isOver && pressure > 0 && waited >= budget.relaxAfterMs)
    return { pressure: lower(pressure), since: at, isOver, over };
  return { pressure, since, isOver, over };
}

const raise = (pressure: Pressure): Pressure => (pressure === 0 ? 1 : pressure === 1 ? 2 : 3);
const lower = (pressure: Pressure): Pressure => (pressure === 3 ? 2 : pressure === 2 ? 1 : 0);
