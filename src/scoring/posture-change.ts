import type { Fields } from '../language/contract.ts';
import type { Posture } from './posture.ts';
import type { Cause, MovedOutcome, Outcome, OutcomeLine, PostureChange, Result } from './result.ts';
import type { ScoredEntity } from './scored-entity.ts';

/** By constraint, in document order. */
type Outcomes = ReadonlyMap<string, Outcome>;

/** An entity and the fields of its image. */
export interface Sight {
  readonly scored: ScoredEntity;
  readonly fields: Fields;
}

/** A posture that was seen first, or that moved. */
export function postureMoved(
  sight: Sight,
  from: { readonly posture: Posture; readonly outcomes: Outcomes } | null,
  result: Result,
  fixes: ReadonlyMap<string, string | undefined>,
): PostureChange {
  return {
    ...about(sight),
    image_seq: result.image_seq,
    set: result.set,
    set_version: result.set_version,
    cause: result.cause,
    now: result.now,
    from: from?.posture ?? null,
    to: result.posture,
    moved: movedOutcomes(from?.outcomes ?? null, result.outcomes, fixes),
    result: result.hash,
  };
}

/** The entity was deleted, or left this account: its posture ends. */
export function postureEnded(
  sight: Sight,
  set: string,
  last: { readonly version: string; readonly posture: Posture; readonly outcomes: Outcomes },
  ending: { readonly cause: Cause; readonly now: string; readonly imageSeq: number },
): PostureChange {
  return {
    ...about(sight),
    image_seq: ending.imageSeq,
    set,
    set_version: last.version,
    cause: ending.cause,
    now: ending.now,
    from: last.posture,
    to: null,
    moved: [...last.outcomes]
      .filter(([, outcome]) => needsAttention(outcome))
      .map(([constraint, from]) => ({ constraint, from, to: null })),
    result: null,
  };
}

/** At first sight, and at the end, only what somebody would look at is listed. */
const needsAttention = (outcome: Outcome): boolean => outcome !== 'satisfied' && outcome !== 'not_applicable';

function movedOutcomes(
  from: Outcomes | null,
  lines: readonly OutcomeLine[],
  fixes: ReadonlyMap<string, string | undefined>,
): readonly MovedOutcome[] {
  const moved: MovedOutcome[] = [];
  const named = new Set<string>();
  for (const line of lines) {
    named.add(line.constraint);
    const before = from?.get(line.constraint) ?? null;
    if (before === line.outcome || (from === null && !needsAttention(line.outcome))) continue;
    const fix = line.outcome === 'violated' ? fixes.get(line.constraint) : undefined;
    moved.push({
      constraint: line.constraint,
      from: before,
      to: line.outcome,
      ...(line.message === undefined ? {} : { message: line.message }),
      ...(fix === undefined ? {} : { fix }),
    });
  }
  for (const [constraint, outcome] of from ?? [])
    if (!named.has(constraint)) moved.push({ constraint, from: outcome, to: null });
  return moved;
}

/** What a person needs to act. */
function about({ scored, fields }: Sight) {
  const text = (name: string) => {
    const value = fields[name];
    return typeof value === 'string' ? value : null;
  };
  const { amount } = fields;
  return {
    entity: scored.entity,
    id: scored.id,
    account_id: scored.entity === 'account' ? scored.id : (scored.image?.accountId ?? null),
    name: text('name'),
    owner: text('owner'),
    segment: text('segment'),
    amount: typeof amount === 'number' ? amount : null,
    url: text('url'),
  };
}
