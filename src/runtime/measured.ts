import { type Sample, withSample } from '../evidence/incident.ts';
import type { Overlay } from '../log/overlay.ts';
import type { StateReader } from '../log/port.ts';
import type { Rollout } from '../rollout/control-state.ts';
import type { GuardReading } from '../rollout/guards.ts';
import type { Tally } from '../scoring/tally.ts';

/** What the controller keeps of what was counted of a version, by version. */

/** What the guards measured, for whoever has to look at it later. */
const samplesKey = (version: string): string => `h\u0001${version}`;
/** What was counted when its phase, or its step, began. */
const beganKey = (version: string): string => `b\u0001${version}`;

export const samplesOf = (state: StateReader, version: string): readonly Sample[] =>
  JSON.parse(state.get(samplesKey(version)) ?? '[]') as Sample[];

export function keepSample(state: Overlay, version: string, readings: readonly GuardReading[], now: number): void {
  const values = Object.fromEntries(readings.map(({ metric, value }) => [metric, value]));
  state.set(samplesKey(version), JSON.stringify(withSample(samplesOf(state, version), { at: now, values })));
}

/** What was counted of a version until its shadow, or a step of its canary, begins is no part of that. */
export const keepBegun = (state: Overlay, version: string, step: number, { answers }: Tally): void =>
  state.set(beganKey(version), JSON.stringify({ step, answers }));

export function answersBefore(state: StateReader, { version, step }: Rollout): number {
  const text = state.get(beganKey(version));
  if (text === undefined) return 0;
  const began = JSON.parse(text) as { readonly step: number; readonly answers: number };
  return began.step === step ? began.answers : 0;
}
