import type { Log } from '../log/port.ts';
import type { Topics } from '../log/topics.ts';
import { POSTURES } from '../scoring/posture.ts';
import type { PostureChange, Result } from '../scoring/result.ts';
import { currentPostures, type PostureCounts } from './posture-board.ts';
import { newestOutputs } from './read-outputs.ts';

export interface Summary {
  readonly counts: PostureCounts;
  readonly mostViolated: readonly { readonly set: string; readonly constraint: string; readonly entities: number }[];
  readonly worstAccounts: readonly WorstEntity[];
  readonly worstDeals: readonly WorstEntity[];
}

export interface WorstEntity {
  readonly change: PostureChange;
  readonly score: number;
  readonly violated: readonly string[];
}

/** Results looked at for violated constraints: the newest of each partition. */
const MAX_RESULTS = 50_000;

/** The state of the book: postures, the most violated constraints, and who is worst. */
export async function summarize(log: Log, topics: Topics, top: number): Promise<Summary> {
  const { counts, current } = await currentPostures(log, topics);
  const latest = new Map<string, Result>();
  for (const { value } of await newestOutputs<Result>(log, topics.results, MAX_RESULTS, () => true)) {
    const key = `${value.entity}/${value.id}/${value.set}`;
    if (current.has(key) && (latest.get(key)?.image_seq ?? 0) <= value.image_seq) latest.set(key, value);
  }
  const violations = new Map<string, number>();
  const worst: WorstEntity[] = [];
  for (const [key, result] of latest) {
    const violated = result.outcomes
      .filter(({ outcome }) => outcome === 'violated')
      .map(({ constraint }) => constraint);
    for (const constraint of violated)
      violations.set(`${result.set}\n${constraint}`, (violations.get(`${result.set}\n${constraint}`) ?? 0) + 1);
    const change = current.get(key);
    if (change && change.to !== 'healthy') worst.push({ change, score: result.score, violated });
  }
  worst.sort(
    (a, b) =>
      POSTURES.indexOf(b.change.to ?? 'healthy') - POSTURES.indexOf(a.change.to ?? 'healthy') ||
      a.score - b.score ||
      (b.change.amount ?? 0) - (a.change.amount ?? 0),
  );
  const mostViolated = [...violations]
    .sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))
    .slice(0, top)
    .map(([key, entities]) => {
      const [set = '', constraint = ''] = key.split('\n');
      return { set, constraint, entities };
    });
  const worstOf = (entity: string): readonly WorstEntity[] =>
    worst.filter(({ change }) => change.entity === entity).slice(0, top);
  return { counts, mostViolated, worstAccounts: worstOf('account'), worstDeals: worstOf('deal') };
}
