import { expect, it } from 'vitest';
import { openPace } from '../../../src/runtime/pace.ts';

it('lets so much through in a second, and keeps what was not used for a quarter of one', () => {
  let now = 0;
  let rate = 100;
  const pace = openPace(
    () => rate,
    () => now,
  );
  const run = (ms: number): number => {
    let done = 0;
    for (const end = now + ms; now < end; now += 10) {
      const left = pace.left(7);
      pace.spend(left);
      done += left;
    }
    return done;
  };
  expect(run(10_000)).toBeGreaterThan(990);
  expect(run(10_000)).toBeLessThanOrEqual(1_026);
  now += 60_000;
  let atOnce = 0;
  for (let left = pace.left(7); left > 0; left = pace.left(7)) {
    pace.spend(left);
    atOnce += left;
  }
  expect(atOnce).toBe(25);
  rate = 0;
  expect(run(1_000)).toBe(0);
  // A clock that is set back lets nothing through that was not due.
  rate = 100;
  now -= 5_000;
  expect(run(100)).toBeLessThanOrEqual(10);
});
