import type { ActiveSet } from './active-set.ts';
import type { SweepJob } from './job.ts';
import { answeringOf, answerSets, canBeScored, compareOnly, keyOf, load, type Run, save } from './run.ts';
import { after, entitiesOf, suffixOf } from './state-keys.ts';

/** Entities that are looked at in one commit, at most: most of them may have nothing to be done. */
const LOOKED_AT = 500;

/**
 * Brings the next entities up to what the control state says: who was answered by another version than the one that
 * should is answered again, and a version on its way is asked about those that it wasn't asked about yet.
 * @param most entities to work on
 * @returns the job as it goes on, null once it is through, and how many were worked on
 */
export function runSweepJob(
  run: Run,
  job: SweepJob,
  most: number,
): { readonly job: SweepJob | null; readonly worked: number } {
  const [set] = run.control.sets[job.entity].filter(({ active }) => active.name === job.set);
  if (set === undefined) return { job: null, worked: 0 };
  const all = entitiesOf(job.entity);
  const limit = Math.min(LOOKED_AT, run.perCommit);
  let { after: last, done } = job;
  let worked = 0;
  for (let looked = 0; looked < limit; ) {
    const range = after(all, last);
    // No more than may be worked on: what was read and not looked at would be read again by the next commit.
    const page = Math.min(most - worked, limit - looked);
    if (page <= 0) break;
    const entries = run.state.range(range.from, range.to, page);
    for (const { key } of entries) {
      last = suffixOf(key, all);
      done++;
      looked++;
      if (sweepOne(run, job, set, last)) worked++;
    }
    if (entries.length < page) return { job: null, worked };
  }
  return { job: { ...job, after: last, done }, worked };
}

/** @returns whether there was anything to do for the entity */
export function sweepOne(run: Run, job: SweepJob, set: ActiveSet, id: string): boolean {
  const scored = load(run, job.entity, id);
  if (!canBeScored(scored)) return false;
  const last = scored.answers.get(job.set);
  const { version } = answeringOf(set, keyOf(scored)).active;
  // It was asked already where it faulted.
  const isAnswered = last?.version === version || scored.faulted.get(job.set) === version;
  if (isAnswered || job.compareOnly) {
    if (set.candidate === undefined || last?.beside?.since === set.candidate.since) return false;
    compareOnly(run, scored, set);
  } else answerSets(run, scored, [set], job.cause, job.at, run.position);
  save(run, scored);
  return true;
}
