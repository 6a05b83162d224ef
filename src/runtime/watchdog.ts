import type { Policy } from '../rollout/policy.ts';
import { BUDGET_ACTION, type BudgetState, nextPressure, noPressure, SHED } from './budget.ts';
import type { Health } from './health.ts';
import { MAX_SAMPLES, NOMINAL, nextPosture, readSystem, type SystemSample } from './system-guards.ts';

/** Looks after the system guards and the budget of one worker. */
export interface Watchdog {
  /** One look; at most one a second is asked for. */
  look(seen: Resources & { readonly lag?: number }, now: number): void;
  /** How long records of a batch had waited until its commit. */
  waited(ms: number): void;
  /** Entities that sweeps may answer in a second now. */
  sweptPerSecond(): number;
  shedsShadow(): boolean;
  /** Before the next batch of changes is taken in, ms; 0: at once. */
  intakePauseMs(): number;
}

/** What the machine gives away of itself. Left out: it is not known. */
export interface Resources {
  /** Of the heap that this thread may have, 0..1. */
  readonly heapShare?: number;
  /** Of its time that this thread was busy since the last look, 0..1. */
  readonly busyShare?: number;
}

const SUBJECT = 'system';
const BUDGET = 'budget';
/** Waits that are kept until the next look. */
const MAX_WAITS = 10_000;
/** As long as a batch takes under full load, so that the intake is about halved. */
const INTAKE_PAUSE_MS = 200;
const TAIL = 0.99;

export function openWatchdog(
  { system, budget }: Pick<Policy, 'system' | 'budget'>,
  health: Health,
  start: number,
): Watchdog {
  let samples: SystemSample[] = [];
  let waits: number[] = [];
  let state = NOMINAL;
  let spent: BudgetState = noPressure(start);

  function tellSystem(now: number): void {
    const readings = readSystem(system.guards, samples, now);
    const next = nextPosture(state, readings, system.recoverAfterMs, now);
    if (next.posture !== state.posture) health.count(`system.${next.posture}`);
    state = next;
    const over = readings.filter(({ verdict }) => verdict === 'fail');
    const told = over.map(({ metric, value, limit }) => `${metric} is ${round(value)}, over ${limit}`);
    health.stands(SUBJECT, state.posture, told.length > 0 ? told.join('; ') : 'better, and watched for a while');
  }

  function tellBudget(before: BudgetState): void {
    const { pressure, over } = spent;
    if (pressure > before.pressure) health.count(`${BUDGET_ACTION}.shed_more`);
    if (pressure < before.pressure) health.count(`${BUDGET_ACTION}.shed_less`);
    health.stands(
      BUDGET,
      pressure === 0 ? 'nominal' : 'degraded',
      `${BUDGET_ACTION}: lets go of ${SHED[pressure]}${over.length > 0 ? `: ${over.join('; ')}` : ''}`,
    );
  }

  return {
    look({ heapShare, busyShare, lag }, now) {
      const sample: SystemSample = {
        at: now,
        values: {
          dead_letters: deadLetters(health),
          ...(waits.length === 0 ? {} : { latency_ms: tailOf(waits) }),
          ...(lag === undefined ? {} : { lag }),
          ...(heapShare === undefined ? {} : { heap_share: heapShare }),
          ...(busyShare === undefined ? {} : { busy_share: busyShare }),
        },
      };
      waits = [];
      samples = [...samples, sample].slice(-MAX_SAMPLES);
      tellSystem(now);
      const before = spent;
      spent = nextPressure(spent, sample, budget);
      tellBudget(before);
    },
    waited(ms) {
      if (waits.length < MAX_WAITS) waits.push(ms);
    },
    sweptPerSecond: () => (spent.pressure >= 1 ? 0 : budget.sweptPerSecond),
    shedsShadow: () => spent.pressure >= 2,
    intakePauseMs: () => (spent.pressure >= 3 ? INTAKE_PAUSE_MS : 0),
  };
}

function deadLetters(health: Health): number {
  let sum = 0;
  for (const [name, count] of Object.entries(health.report().counters))
    if (name.includes('.dead_letters.')) sum += count;
  return sum;
}

const tailOf = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length * TAIL)] ?? 0;

const round = (value: number | null): number | null => (value === null ? null : Number(value.toFixed(3)));
