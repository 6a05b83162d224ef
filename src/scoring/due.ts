import type { CompiledSet } from '../compiler/compile.ts';
import type { Fields } from '../language/contract.ts';
import { copyVerdict, judge, judgeAgain, makeVerdict, sameAnswer, type ValidWaiver, type Verdict } from './judge.ts';

/** Times looked at in one search; past them the next time is taken as due, though it may prove needless. */
const MAX_CANDIDATES = 192;
/** Seconds scanned one by one where grades rise and fall at once and rounding blurs the crossing. */
const MAX_SCANNED_SECONDS = 4096;
/** Points (hundredths) within which rounding of degrees and score can blur a crossing. */
const BLUR = 3;
const LAST_INSTANT = Date.parse('9999-12-31T23:59:59Z');

const scratch = new WeakMap<CompiledSet, Verdict>();

/**
 * The first whole second after `now` at which outcomes, band or posture differ from `current`, or null if they never do.
 * Comparisons give the times at which they can flip; rescoring at those times says whether the answer does. Between two
 * such times only grades move, along straight lines, so a crossing of a band is found by bisection.
 * @param current the answer at `now`; its band is the previous one of what comes next
 */
export function nextDue(
  set: CompiledSet,
  own: Fields,
  account: Fields | null,
  waivers: readonly ValidWaiver[],
  now: number,
  current: Verdict,
): number | null {
  if (!set.dependsOnNow && waivers.length === 0) return null;
  let probe = scratch.get(set);
  if (!probe) {
    probe = makeVerdict(set);
    scratch.set(set, probe);
  }
  const verdict = probe;
  const isTimeAlone = waivers.length === 0;
  if (isTimeAlone) copyVerdict(current, verdict);
  const solved = firstChange();
  const recheck = hasUnsolved(set) ? set.checked.recheckEveryMs : null;
  if (recheck === null) return solved;
  const again = Math.ceil((now + recheck) / 1000) * 1000;
  return solved === null ? again : Math.min(solved, again);

  function differsAt(time: number): boolean {
    if (isTimeAlone) judgeAgain(set, own, account, time, current.band, verdict);
    else judge(set, own, account, waivers, time, current.band, verdict);
    return !sameAnswer(verdict, current);
  }

  function firstChange(): number | null {
    const times = candidates(set, own, account, waivers, now);
    let before = now;
    for (const [index, time] of times.entries()) {
      if (index === MAX_CANDIDATES) return time;
      if (time - before > 1000) {
        const inside = changeBetween(before, time - 1000);
        if (inside !== null) return inside;
      }
      if (differsAt(time)) return time;
      before = time;
    }
    return null;
  }

  /** Outcomes are the same all through (from, to]; only grades move the score. */
  function changeBetween(from: number, to: number): number | null {
    const first = Math.floor(from / 1000) * 1000 + 1000;
    if (first > to) return null;
    const startDiffers = differsAt(first);
    if (startDiffers) return first;
    const startDegrees = verdict.degrees.slice();
    const startScore = verdict.score;
    const endDiffers = differsAt(to);
    const directions = directionsOf(startDegrees, verdict.degrees);
    if (directions === 'none') return null;
    if (directions === 'mixed') return scan(first, to, startScore, verdict.score, endDiffers);
    return endDiffers ? bisect(first, to) : null;
  }

  function bisect(same: number, different: number): number {
    let low = same / 1000;
    let high = different / 1000;
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2);
      if (differsAt(middle * 1000)) high = middle;
      else low = middle;
    }
    return high * 1000;
  }

  /** Grades rise and fall at once: look at each second of the stretch in which a band's edge is near. */
  function scan(first: number, to: number, startScore: number, endScore: number, endDiffers: boolean): number | null {
    const edges = Object.values(verdict.edges)
      .flatMap(({ enter, leave }) => [enter, leave])
      .filter((edge) => edge >= Math.min(startScore, endScore) - BLUR && edge <= Math.max(startScore, endScore) + BLUR);
    if (edges.length === 0) return endDiffers ? bisect(first, to) : null;
    const rate = (endScore - startScore) / (to - first || 1);
    let earliest = to;
    for (const edge of edges) {
      const reach = rate === 0 ? first : first + (edge - startScore - Math.sign(rate) * BLUR) / rate;
      earliest = Math.min(earliest, Math.max(first, reach));
    }
    let time = Math.floor(earliest / 1000) * 1000;
    for (let i = 0; i < MAX_SCANNED_SECONDS && time <= to; i++, time += 1000)
      if (time > now && differsAt(time)) return time;
    return time <= to ? time : null;
  }
}

function hasUnsolved(set: CompiledSet): boolean {
  return (
    set.checked.recheckEveryMs !== null &&
    set.checked.constraints.some(
      (constraint) => constraint.when?.expr.now === 'unsolved' || constraint.expr.expr.now === 'unsolved',
    )
  );
}

/** Whole seconds after `now` round each time at which something can flip, ascending. */
function candidates(
  set: CompiledSet,
  own: Fields,
  account: Fields | null,
  waivers: readonly ValidWaiver[],
  now: number,
): readonly number[] {
  const raw: number[] = [];
  set.generated.breakpoints(own, account, raw);
  for (const waiver of waivers) raw.push(waiver.from, waiver.until);
  const bases: number[] = [];
  for (const time of raw) {
    if (!(time > now - 3000 && time < LAST_INSTANT)) continue;
    // The time is solved in floating point: two milliseconds either way cover its error.
    bases.push(Math.floor((time - 2) / 1000) * 1000);
  }
  bases.sort((a, b) => a - b);
  const seconds: number[] = [];
  let last = now;
  for (const base of bases)
    for (let second = base; second <= base + 2000; second += 1000)
      if (second > last) {
        seconds.push(second);
        last = second;
      }
  return seconds;
}

function directionsOf(before: Int32Array, after: Int32Array): 'none' | 'one' | 'mixed' {
  let up = false;
  let down = false;
  for (let i = 0; i < before.length; i++) {
    const change = (after[i] ?? 0) - (before[i] ?? 0);
    if (change > 0) up = true;
    if (change < 0) down = true;
  }
  return up && down ? 'mixed' : up || down ? 'one' : 'none';
}
