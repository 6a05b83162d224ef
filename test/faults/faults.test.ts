import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { reasonWithoutRegistry } from '../support/kafka.ts';
import { type OwnPlace, openPlace } from './place.ts';
import { runScenario } from './scenario.ts';
import { PLANTED, SCENARIOS } from './scenarios.ts';

const TOLD_LENGTH = 400;
/** A failure prints its seed; PLUMBLINE_FAULT_SEED replays it, with -t for the one scenario. */
const ONLY = process.env.PLUMBLINE_FAULT_SEED;

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

  it.each(PLANTED)('$scenario.name is found', async ({ scenario, breaks }) => {
    const { broken } = await runScenario(scenario, place);
    for (const what of broken) tell(what.slice(0, TOLD_LENGTH));
    expect(broken.map((what) => what.slice(0, what.indexOf(':')))).toEqual(expect.arrayContaining([...breaks]));
  });

  it.skipIf(ONLY !== undefined)('that is at least 100,000 inputs in all', () => {
    expect(inputs).toBeGreaterThan(100_000);
  });
});
