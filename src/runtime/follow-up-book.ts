import { followUpRecord } from '../../producers/follow-ups.ts';
import type { Overlay } from '../log/overlay.ts';
import type { NewRecord, StateReader } from '../log/port.ts';
import type { Topics } from '../log/topics.ts';
import type { ControlState } from '../rollout/control-state.ts';
import type { Decision } from '../rollout/decide.ts';
import { type FollowUp, newFollowUp, openIn, reconcile } from '../rollout/follow-up.ts';
import type { Policy } from '../rollout/policy.ts';
import type { FollowUpRequest } from '../rollout/request.ts';
import type { Wire } from '../wire/wire.ts';

/** Where the controller keeps what is open. */
const keyOf = (id: string): string => `u\u0001${id}`;
const ALL = { from: 'u\u0001', to: 'u\u0002' };
/** Open at once; a person is told to close some first. */
const MAX_OPEN = 1_000;
/** When the next one may open, or be due; ms. */
const NEXT_KEY = 'v';

export const nextFollowUp = (state: StateReader): number | null => {
  const text = state.get(NEXT_KEY);
  return text === undefined ? null : Number(text);
};

/** Looks again as soon as what was decided now can be read. */
export const lookAgain = (state: Overlay, now: number): void => state.set(NEXT_KEY, String(now));

export interface BookParts {
  readonly topics: Topics;
  readonly policy: Policy;
  readonly wire: Wire;
}

/** @param more what has come up beside what the control state leaves open */
export function keepFollowUps(
  state: Overlay,
  seen: ControlState,
  more: readonly FollowUp[],
  now: number,
  { topics, policy, wire }: BookParts,
): readonly NewRecord[] {
  const kept = keptIn(state);
  const { wanted, next: opens } = openIn(seen, policy, now);
  const known = new Set(kept.map(({ id }) => id));
  // What finds no room is not queued; those that are wanted are looked for again.
  const fitting = [...wanted, ...more].filter(({ id }, index) => known.has(id) || kept.length + index < MAX_OPEN);
  const found = reconcile(kept, fitting, policy, now);
  for (const one of found.changed) state.set(keyOf(one.id), JSON.stringify(one));
  for (const id of found.gone) state.set(keyOf(id), undefined);
  const next = [opens, found.next].filter((at) => at !== null).sort((a, b) => a - b)[0];
  const before = state.get(NEXT_KEY);
  if (String(next) !== before) state.set(NEXT_KEY, next === undefined ? undefined : String(next));
  return found.changed.map((one) => followUpRecord(topics, one, now, wire));
}

/** What becomes of somebody's wish to open or to close one. */
export function answerFollowUp(
  state: Overlay,
  request: FollowUpRequest,
  now: number,
  { topics, wire }: BookParts,
): { readonly decision: Decision; readonly records: readonly NewRecord[] } {
  const { followUp: id, set, by } = request;
  const text = state.get(keyOf(id));
  const known = text === undefined ? null : (JSON.parse(text) as FollowUp);
  const keep = (one: FollowUp, said: string) => {
    state.set(keyOf(id), JSON.stringify(one));
    lookAgain(state, now);
    return { decision: { facts: [], said }, records: [followUpRecord(topics, one, now, wire)] };
  };
  if (request.kind === 'close_follow_up') {
    if (known === null || known.closed !== null || known.set !== set)
      return refused(`no follow-up \`${id}\` of \`${set}\` is open`, '`plumbline follow-ups list`');
    return keep({ ...known, closed: { at: now, by, how: request.reason ?? null } }, `closed: ${known.what}`);
  }
  if (known !== null && known.closed === null)
    return { decision: { facts: [], said: 'it is open already' }, records: [] };
  if (keptIn(state).length >= MAX_OPEN)
    return refused(`${MAX_OPEN} follow-ups are open`, 'close some: `plumbline follow-ups close ID`');
  const { about: kind, what, owner, dueAt } = request;
  return keep(newFollowUp({ id, kind, set, what, owner, openedAt: now, dueAt }), `queued for ${owner}`);
}

const refused = (message: string, hint: string) => ({
  decision: { refusal: { code: 'PLB-FOLLOW-UP', message, hint } },
  records: [],
});

const keptIn = (state: StateReader): readonly FollowUp[] =>
  state.range(ALL.from, ALL.to, MAX_OPEN).map(({ value }) => JSON.parse(value) as FollowUp);
