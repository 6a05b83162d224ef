import { type Sample, withSample } from '../evidence/incident.ts';
import type { Overlay } from '../log/overlay.ts';
import type { StateReader } from '../log/port.ts';
import type { Rollout } from '../rollout/control-state.ts';
import { type Counts, type GuardReading, NO_COUNTS } from '../rollout/guards.ts';
import type { Tally } from '../scoring/tally.ts';

/** What the controller keeps of what was counted of a version, by version. */

/** What the guards measured, for whoever has to look at it later. */
const samplesKey = (version: string): string => `h\u0001${version}`;
/** What had been counted at times, for windows. */
const countsKey = (version: string): string => `a\u0001${version}`;
/** What was counted when its phase, or its step, began. */
const beganKey = (version: string): string => `b\u0001${version}`;

export const samplesOf = (state: StateReader, version: string): readonly Sample[] =>
  JSON.parse(state.get(samplesKey(version)) ?? '[]') as Sample[];

export function keepSample(state: Overlay, version: string, readings: readonly GuardReading[], now: number): void {
  const values = Object.fromEntries(readings.map(({ metric, value }) => [metric, value]));
  state.set(samplesKey(version), JSON.stringify(withSample(samplesOf(state, version), { at: now, values })));
}

/** Points of a version's counts that are kept: enough for the longest window, the newest. */
const MAX_POINTS = 240;

interface CountedAt extends Counts {
  readonly at: number;
}

const pointsOf = (state: StateReader, version: string): readonly CountedAt[] =>
  JSON.parse(state.get(countsKey(version)) ?? '[]') as CountedAt[];

/** @param windowMs the longest that a guard has; null: none has one */
export function keepCounts(state: Overlay, version: string, tally: Tally, windowMs: number | null, at: number): void {
  if (windowMs === null) return;
  const points = pointsOf(state, version);
  const last = points[points.length - 1];
  if (last !== undefined && at - last.at < (2 * windowMs) / MAX_POINTS) return;
  const { answers, faults, outcomes, unknown } = tally;
  const next = [...points, { at, answers, faults, outcomes, unknown }].slice(-MAX_POINTS);
  state.set(countsKey(version), JSON.stringify(next));
}

/** Its rollout is over. */
export function dropMeasured(state: Overlay, version: string): void {
  for (const key of [samplesKey(version), countsKey(version), beganKey(version)])
    if (state.get(key) !== undefined) state.set(key, undefined);
}

/** Another shadow counts anew. */
export const dropCounts = (state: Overlay, version: string): void => state.set(countsKey(version), undefined);

/** What had been counted at a time, or shortly before it. */
export const countsAt = (state: StateReader, version: string, at: number): Counts =>
  pointsOf(state, version).findLast((point) => point.at <= at) ?? NO_COUNTS;

/** What was counted of a version until its shadow, or a step of its canary, begins is no part of that. */
export const keepBegun = (state: Overlay, version: string, step: number, { answers }: Tally): void =>
  state.set(beganKey(version), JSON.stringify({ step, answers }));

export function answersBefore(state: StateReader, { version, step }: Rollout): number {
  const text = state.get(beganKey(version));
  if (text === undefined) return 0;
  const began = JSON.parse(text) as { readonly step: number; readonly answers: number };
  return began.step === step ? began.answers : 0;
}
