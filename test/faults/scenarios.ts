import type { Scenario } from './scenario.ts';

/** What `npm run test:faults` plays, one after the other on one cluster. */
export const SCENARIOS: readonly Scenario[] = [
  {
    name: 'workers are killed, frozen, added and removed',
    seed: 11,
    book: { accounts: 320, deals: 2_750 },
    workers: 3,
    kinds: { kill: 8, kill_at: 12, freeze: 4, add: 2, remove: 3 },
    durationMs: 75_000,
    recoveryMs: 90_000,
  },
  {
    name: 'brokers are killed, frozen and restarted one after the other',
    seed: 12,
    book: { accounts: 200, deals: 1_700 },
    workers: 3,
    kinds: { kill: 3, kill_at: 3, broker_kill: 2, broker_freeze: 1, rolling_restart: 1 },
    durationMs: 110_000,
    recoveryMs: 90_000,
  },
  {
    name: 'the network is slow, cut and half open',
    seed: 13,
    book: { accounts: 165, deals: 1_400 },
    workers: 3,
    kinds: { kill_at: 3, delay: 5, cut: 6, half_open: 4 },
    durationMs: 75_000,
    recoveryMs: 90_000,
  },
  {
    name: 'the registry answers 404, 500 or never',
    seed: 14,
    book: { accounts: 125, deals: 1_100 },
    workers: 3,
    isAvro: true,
    kinds: { kill: 3, kill_at: 3, registry: 5 },
    durationMs: 60_000,
    recoveryMs: 90_000,
  },
  {
    name: 'everything at once',
    seed: 15,
    book: { accounts: 160, deals: 1_400 },
    workers: 3,
    isAvro: true,
    kinds: {
      kill: 3,
      kill_at: 4,
      freeze: 2,
      add: 1,
      remove: 1,
      broker_kill: 2,
      delay: 2,
      cut: 2,
      half_open: 1,
      registry: 2,
    },
    durationMs: 90_000,
    recoveryMs: 120_000,
  },
];

export interface Planted {
  readonly scenario: Scenario;
  /** Invariants that the fault has to break. */
  readonly breaks: readonly string[];
}

const SMALL = { book: { accounts: 25, deals: 200 }, workers: 2, durationMs: 12_000, recoveryMs: 20_000 };

/**
 * Faults of the client itself: checks that don't find them are worth nothing. What they do to the answers a worker can
 * mend, by making a torn state anew; the commits on the log tell of them all the same.
 */
export const PLANTED: readonly Planted[] = [
  {
    scenario: {
      name: 'offsets that are committed outside the transaction',
      seed: 21,
      ...SMALL,
      kinds: { kill_at: 6 },
      steps: ['offsets'],
      plant: 'offsets-outside',
    },
    breaks: ['standing'],
  },
  {
    scenario: {
      name: 'a committed position that is not read again after a fence',
      seed: 22,
      ...SMALL,
      kinds: { kill_at: 12 },
      steps: ['answer'],
      plant: 'no-re-read',
    },
    breaks: ['standing'],
  },
];
