import { formatInstant } from '../language/contract.ts';
import type { RetireJob } from './job.ts';
import { endPosture, load, type Run, save } from './run.ts';
import { after, entitiesOf, suffixOf } from './state-keys.ts';

/** Ends the postures of a retired set on the next entities; null once it is through. */
export function runRetireJob(run: Run, job: RetireJob): RetireJob | null {
  const all = entitiesOf(job.entity);
  const range = after(all, job.after);
  const entries = run.state.range(range.from, range.to, run.perCommit);
  let last = job.after;
  for (const { key } of entries) {
    last = suffixOf(key, all);
    const scored = load(run, job.entity, last);
    const answer = scored?.answers.get(job.set);
    if (!scored || !answer) continue;
    const now = formatInstant(Math.max(job.at, scored.now ?? job.at));
    endPosture(run, scored, job.set, answer, { cause: job.cause, now, imageSeq: scored.imageSeq });
    scored.answers.delete(job.set);
    scored.faulted.delete(job.set);
    save(run, scored);
  }
  if (entries.length === run.perCommit) return { ...job, after: last };
  return job.entity === 'deal' ? { ...job, entity: 'account', after: '' } : null;
}
