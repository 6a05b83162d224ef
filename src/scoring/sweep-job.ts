import type { SweepJob } from './job.ts';
import { answerSets, canBeScored, load, type Run, save } from './run.ts';
import { after, entitiesOf, suffixOf } from './state-keys.ts';

/** Rescores the next entities of a sweep; null once it is through. */
export function runSweepJob(run: Run, job: SweepJob): SweepJob | null {
  const sets = run.control.sets[job.entity].filter(({ active }) => active.name === job.set);
  const all = entitiesOf(job.entity);
  const range = after(all, job.after);
  const entries = run.state.range(range.from, range.to, run.perCommit);
  let last = job.after;
  for (const { key } of entries) {
    last = suffixOf(key, all);
    const scored = load(run, job.entity, last);
    if (!canBeScored(scored)) continue;
    answerSets(run, scored, sets, job.cause, job.at, run.position);
    save(run, scored);
  }
  return entries.length < run.perCommit ? null : { ...job, after: last };
}
