import type { EntityKind } from '../language/contract.ts';
import type { Log } from '../log/port.ts';
import type { Topics } from '../log/topics.ts';
import { incompletes, parseListed } from '../scoring/state-keys.ts';
import { scoreInputs } from './lag.ts';

/** Entities that are kept but not scored, because required fields are still missing. */
export interface Incomplete {
  readonly count: number;
  /** False where there are more than are counted in one go. */
  readonly is_all: boolean;
  readonly first: readonly IncompleteEntity[];
}

export interface IncompleteEntity {
  readonly entity: EntityKind;
  readonly id: string;
  readonly lacks: readonly string[];
}

const PAGE = 1_000;
/** Counted in each partition: `status` has to answer soon, however many there are. */
const MAX_COUNTED = 10_000;

/** @param shown how many are named */
export async function incompleteEntities(log: Log, topics: Topics, shown: number): Promise<Incomplete> {
  const first: IncompleteEntity[] = [];
  let count = 0;
  let isAll = true;
  for (const input of scoreInputs(log, topics)) {
    const state = log.peekState?.(input);
    if (state === undefined) {
      isAll = false;
      continue;
    }
    let { from, to } = incompletes();
    for (let counted = 0; ; ) {
      const page = state.range(from, to, PAGE);
      for (const { key, value } of page)
        if (first.length < shown) first.push({ ...parseListed(key), lacks: value.split(',') });
      counted += page.length;
      count += page.length;
      const last = page[page.length - 1];
      if (last === undefined || page.length < PAGE) break;
      if (counted >= MAX_COUNTED) {
        isAll = false;
        break;
      }
      from = `${last.key}\u0000`;
    }
  }
  return { count, is_all: isAll, first };
}
