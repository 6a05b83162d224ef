import { openGaps } from '../ingest/changes-of-all.ts';
import type { EntityKind } from '../language/contract.ts';
import type { Log, StateEntry } from '../log/port.ts';
import type { Topics } from '../log/topics.ts';
import { dirties, incompletes, type KeyRange, parseListed } from '../scoring/state-keys.ts';
import { scoreInputs, taskInputs } from './lag.ts';

/** Entities that scoring lists, such as those that it can't score. */
export interface Listed<T> {
  readonly count: number;
  /** False where there are more than are counted in one go. */
  readonly is_all: boolean;
  readonly first: readonly T[];
}

export interface ListedEntity {
  readonly entity: EntityKind;
  readonly id: string;
}

export interface IncompleteEntity extends ListedEntity {
  readonly lacks: readonly string[];
}

/** Changes of all entities of a kind may be missing, of those whose id begins with the prefix. */
export interface OpenGap {
  readonly entity: EntityKind;
  readonly id_prefix: string;
}

export interface Dirty extends Listed<ListedEntity> {
  readonly gaps: readonly OpenGap[];
}

const PAGE = 1_000;
/** Counted in each partition: `status` has to answer soon, however many there are. */
const MAX_COUNTED = 10_000;

/** Entities that are kept but not scored, because required fields are still missing. @param shown how many are named */
export const incompleteEntities = (log: Log, topics: Topics, shown: number): Listed<IncompleteEntity> =>
  listed(log, topics, shown, incompletes(), ({ key, value }) => ({ ...parseListed(key), lacks: value.split(',') }));

/** Entities whose image may lack changes, until they are read from the CRM again. @param shown how many are named */
export const dirtyEntities = (log: Log, topics: Topics, shown: number): Dirty => ({
  ...listed(log, topics, shown, dirties(), ({ key }) => parseListed(key)),
  gaps: gapsOfAll(log, topics),
});

function listed<T>(
  log: Log,
  topics: Topics,
  shown: number,
  all: KeyRange,
  toItem: (entry: StateEntry) => T,
): Listed<T> {
  const first: T[] = [];
  let count = 0;
  let isAll = true;
  for (const input of scoreInputs(log, topics)) {
    const state = log.peekState?.(input);
    if (state === undefined) {
      isAll = false;
      continue;
    }
    let { from } = all;
    for (let counted = 0; ; ) {
      const page = state.range(from, all.to, PAGE);
      for (const entry of page) if (first.length < shown) first.push(toItem(entry));
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

function gapsOfAll(log: Log, topics: Topics): readonly OpenGap[] {
  const found = new Map<string, OpenGap>();
  for (const input of taskInputs(log, topics)) {
    if (input.stage !== 'ingest') continue;
    const entity = input.topic === topics.dealChanges ? 'deal' : 'account';
    const state = log.peekState?.(input);
    for (const { idPrefix } of state === undefined ? [] : openGaps(state))
      found.set(`${entity} ${idPrefix}`, { entity, id_prefix: idPrefix });
  }
  return [...found.values()];
}
