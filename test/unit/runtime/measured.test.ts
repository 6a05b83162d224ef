import { expect, it } from 'vitest';
import { overlayOn } from '../../../src/log/overlay.ts';
import { NO_COUNTS } from '../../../src/rollout/guards.ts';
import { countsAt, keepCounts } from '../../../src/runtime/measured.ts';
import { noTally } from '../../../src/scoring/tally.ts';

const HOUR = 3_600_000;

it('knows what had been counted when a window began, in bounded room', () => {
  const state = overlayOn({ get: () => undefined, range: () => [] });
  for (let at = 0; at <= 10 * HOUR; at += 1_000)
    keepCounts(state, 'v', { ...noTally('v'), answers: at / 1_000 }, HOUR, at);
  const now = 10 * HOUR;
  const { answers } = countsAt(state, 'v', now - HOUR);
  expect(answers).toBeLessThanOrEqual((now - HOUR) / 1_000);
  expect(answers).toBeGreaterThan((now - HOUR) / 1_000 - 60);
  // Before the version was asked nothing was.
  expect(countsAt(state, 'v', -1)).toEqual(NO_COUNTS);
  expect(countsAt(state, 'w', now)).toEqual(NO_COUNTS);
  const [kept, ...others] = [...state.changes.values()].map((text) => JSON.parse(text ?? '[]').length as number);
  expect(others).toEqual([]);
  expect(kept).toBeLessThanOrEqual(240);
});

it('keeps nothing where no guard has a window', () => {
  const state = overlayOn({ get: () => undefined, range: () => [] });
  keepCounts(state, 'v', noTally('v'), null, 0);
  expect(state.changes.size).toBe(0);
});
