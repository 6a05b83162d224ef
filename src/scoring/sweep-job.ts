import type { SweepJob } from './job.ts';
import { answeringOf, answerSets, canBeScored, compareAnew, keyOf, load, type Run, save } from './run.ts';
import { after, entitiesOf, suffixOf } from './state-keys.ts';

/** Rescores the next entities of a sweep that another version answered last; null once it is through. */
export function runSweepJob(run: Run, job: SweepJob): SweepJob | null {
  const [set] = run.control.sets[job.entity].filter(({ active }) => active.name === job.set);
  const all = entitiesOf(job.entity);
  const range = after(all, job.after);
  const entries = run.state.range(range.from, range.to, run.perCommit);
  let last = job.after;
  for (const { key } of entries) {
    last = suffixOf(key, all);
    const scored = load(run, job.entity, last);
    if (set === undefined || scored === null) continue;
    if (job.compareOnly) compareAnew(run, scored, set);
    else if (!canBeScored(scored)) continue;
    else if (scored.answers.get(job.set)?.version === answeringOf(set, keyOf(scored)).active.version) continue;
    else answerSets(run, scored, [set], job.cause, job.at, run.position);
    save(run, scored);
  }
  return entries.length < run.perCommit ? null : { ...job, after: last };
}
