import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { reasonWithoutRegistry } from '../support/kafka.ts';
import { type OwnPlace, openPlace } from './place.ts';
import { runScenario, type Scenario } from './scenario.ts';

/** A failure prints its seed; PLUMBLINE_FAULT_SEED replays it, with -t for the one scenario. */
const ONLY = process.env.PLUMBLINE_FAULT_SEED;

const SCENARIOS: readonly Scenario[] = [
  {
    name: 'workers are killed, frozen, added and removed',
    seed: 11,
    book: { accounts: 280, deals: 2_400 },
    workers: 3,
    kinds: { kill: 8, kill_at: 12, freeze: 4, add: 2, remove: 3 },
    durationMs: 75_000,
    recoveryMs: 90_000,
  },
  {
    name: 'brokers are killed, frozen and restarted one after the other',
    seed: 12,
    book: { accounts: 190, deals: 1_600 },
    workers: 3,
    kinds: { kill: 3, kill_at: 3, broker_kill: 3, broker_freeze: 1, rolling_restart: 1 },
    durationMs: 90_000,
    recoveryMs: 90_000,
  },
  {
    name: 'the network is slow, cut and half open',
    seed: 13,
    book: { accounts: 140, deals: 1_200 },
    workers: 3,
    kinds: { kill_at: 3, delay: 5, cut: 6, half_open: 4 },
    durationMs: 75_000,
    recoveryMs: 90_000,
  },
  {
    name: 'the registry answers 404, 500 or never',
    seed: 14,
    book: { accounts: 100, deals: 900 },
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

const reason = reasonWithoutRegistry();
const tell = (text: string): void => void process.stderr.write(`  ${text}\n`);

describe.skipIf(reason !== null)(`Plumbline on three brokers${reason === null ? '' : `: ${reason}`}`, () => {
  let place: OwnPlace;
  let inputs = 0;
  beforeAll(async () => {
    place = await openPlace(tell);
  }, 300_000);
  afterAll(() => place.stop());

  for (const planned of SCENARIOS) {
    const scenario = ONLY === undefined ? planned : { ...planned, seed: Number(ONLY) };
    it(`${scenario.name} (PLUMBLINE_FAULT_SEED=${scenario.seed})`, async () => {
      const before = place.proxies.reduce((sum, { bytes }) => sum + bytes, 0);
      const { broken, ...report } = await runScenario(scenario, place);
      tell(JSON.stringify(report));
      expect(broken).toEqual([]);
      expect(report.aborted).toBeGreaterThan(0);
      // What the workers read and write goes through the proxies: far more than this an input.
      expect(place.proxies.reduce((sum, { bytes }) => sum + bytes, 0) - before).toBeGreaterThan(report.inputs * 100);
      inputs += report.inputs;
    });
  }

  it.skipIf(ONLY !== undefined)('that is at least 100,000 inputs in all', () => {
    expect(inputs).toBeGreaterThan(100_000);
  });
});
