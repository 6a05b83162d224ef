import type { Contracts } from '../../schemas/contracts.ts';
import type { CompiledSet } from '../compiler/compile.ts';
import { SetFault } from '../compiler/set-fault.ts';
import type { Intake, UpsertChange } from '../ingest/change.ts';
import { wholeFields } from '../ingest/fields.ts';
import type { WholeImage } from '../ingest/image.ts';
import type { EntityKind, Fields } from '../language/contract.ts';
import type { Overlay } from '../log/overlay.ts';
import type { TextMemo } from '../log/text-memo.ts';
import type { ActiveSet, ControlView } from './active-set.ts';
import { compare, forget } from './beside.ts';
import { isInCanary } from './canary.ts';
import { instantText } from './evidence.ts';
import { encodeJob, type SweepJob, sweepOf } from './job.ts';
import { postureEnded, postureMoved, type Sight } from './posture-change.ts';
import type { Cause, Outcome, PostureChange, Result } from './result.ts';
import type { Answer, AnswerFn, Subject } from './score.ts';
import {
  decodeScored,
  encodeScored,
  type LastAnswer,
  outcomeLetters,
  outcomesByName,
  type PresentImage,
  type ScoredEntity,
} from './scored-entity.ts';
import {
  constraintsKey,
  dealOfKey,
  entityKey,
  faultsKey,
  fieldsKey,
  laneKey,
  sweepKey,
  type Timer,
  timerKey,
} from './state-keys.ts';
import type { Tally } from './tally.ts';

/** What one step gave, in the order of its answers. */
export type ScoreOutput =
  | { readonly kind: 'result'; readonly key: string; readonly answer: Answer; readonly inputOffset: number }
  | { readonly kind: 'posture'; readonly key: string; readonly change: PostureChange }
  | { readonly kind: 'failed'; readonly key: string; readonly failure: ScoringFailure }
  /** A change for ingest: the deal's account was merged into another. */
  | { readonly kind: 'move'; readonly change: UpsertChange; readonly intake: Intake };

/** No version could answer: a dead letter for that set alone. */
export interface ScoringFailure {
  readonly entity: EntityKind;
  readonly id: string;
  readonly set: string;
  readonly setVersion: string;
  readonly code: string;
  readonly message: string;
}

export interface ScoreCounts {
  results: number;
  postureChanges: number;
  /** Answers that a fallback gave. */
  fallbacks: number;
  failures: number;
  /** Images at or below the number already taken. */
  stale: number;
  repeats: number;
  /** Inputs missing in a chain: an alarm. */
  gaps: number;
  dueFired: number;
  /** Deals that were sent on to the account that theirs was merged into. */
  moves: number;
}

/** One step's view: it reads and writes `state` alone. */
export interface Run {
  readonly state: Overlay;
  readonly contracts: Contracts;
  readonly answer: AnswerFn;
  readonly control: ControlView;
  readonly outputs: ScoreOutput[];
  readonly counts: ScoreCounts;
  /** Entities of this step, decoded once: each is the object that `save` wrote last. Bounded by the commit. */
  readonly loaded: Map<string, ScoredEntity>;
  /** The next input offset to take, which marks what no image caused: a due time, a sweep. */
  readonly position: number;
  /** Entities answered in one commit. */
  readonly perCommit: number;
  readonly memo: TextMemo<Fields>;
  /** Tallies that this step changed, by set: written once it is through. */
  readonly tallies: Map<string, Tally>;
  /** See ScoreContext. */
  readonly shedsShadow: boolean;
}

export const noCounts = (): ScoreCounts => ({
  results: 0,
  postureChanges: 0,
  fallbacks: 0,
  failures: 0,
  stale: 0,
  repeats: 0,
  gaps: 0,
  dueFired: 0,
  moves: 0,
});

export function load(run: Run, entity: EntityKind, id: string): ScoredEntity | null {
  const key = entityKey(entity, id);
  const known = run.loaded.get(key);
  if (known !== undefined) return known;
  const text = run.state.get(key);
  if (text === undefined) return null;
  const scored = decodeScored(entity, id, text);
  run.loaded.set(key, scored);
  return scored;
}

export const canBeScored = (scored: ScoredEntity | null): scored is ScoredEntity & { image: PresentImage } =>
  scored !== null && scored.image !== null && scored.image.lacking.length === 0;

/** An account's fields as its deals see them: absent when it is unknown, deleted or incomplete. */
export function accountFields(run: Run, accountId: string | null): Fields | null {
  const account = accountId === null ? null : load(run, 'account', accountId);
  return canBeScored(account) ? fieldsOf(run, account) : null;
}

/** Every field of an image's contract, in its order. */
export function fieldsOf(run: Run, { entity, id, image }: ScoredEntity & { image: PresentImage }): Fields {
  const key = fieldsKey(entity, id);
  const text = run.state.get(key) ?? '{}';
  const known = run.memo.find(key, text);
  if (known !== undefined) return known;
  const fields = wholeFields(run.contracts[entity], id, image.accountId, JSON.parse(text) as Fields);
  run.memo.keep(key, text, fields);
  return fields;
}

/** Writes the fields of an image that came. */
export function takeFields(run: Run, { entity, id, accountId, fields }: WholeImage): void {
  const key = fieldsKey(entity, id);
  const text = JSON.stringify(fields);
  run.state.set(key, text);
  run.memo.keep(key, text, wholeFields(run.contracts[entity], id, accountId, fields));
}

/** What groups an entity's records on every topic: its account, or a deal's own id where it has none. */
export const keyOf = (scored: ScoredEntity): string =>
  scored.entity === 'account' ? scored.id : (scored.image?.accountId ?? scored.id);

/** Writes the entity with its timer and its place in its account's list. */
export function save(run: Run, scored: ScoredEntity): void {
  const { state } = run;
  const timer = timerOf(run, scored);
  const before = scored.timer;
  if (before !== null && (timer === null || timer.at !== before.at || timer.lane !== before.lane))
    state.set(timerKey(before, scored.entity, scored.id), undefined);
  if (timer !== null) state.set(timerKey(timer, scored.entity, scored.id), '1');
  scored.timer = timer;
  const key = entityKey(scored.entity, scored.id);
  run.loaded.set(key, scored);
  state.set(key, encodeScored(scored));
  const accountId = scored.entity === 'deal' ? (scored.image?.accountId ?? null) : null;
  if (accountId !== null) state.set(dealOfKey(accountId, scored.id), timer === null ? '' : String(timer.at));
}

/** Held in its import's lane until that is closed. */
function timerOf(run: Run, scored: ScoredEntity): Timer | null {
  if (!canBeScored(scored)) return null;
  const at = nextDueOf(run, scored);
  if (at === null) return null;
  const { lane } = scored.image;
  const isClosed = lane !== 'live' && run.state.get(laneKey(lane)) === CLOSED;
  return { at, lane: isClosed ? 'live' : lane };
}

export const CLOSED = 'closed';

/** The earliest due time among the answers of active sets. */
export function nextDueOf(run: Run, scored: ScoredEntity): number | null {
  let next: number | null = null;
  for (const { active } of run.control.sets[scored.entity]) {
    const due = scored.answers.get(active.name)?.dueAt ?? null;
    if (due !== null && (next === null || due < next)) next = due;
  }
  return next;
}

/** Answers the sets on an entity's image at `now`, which never goes back for an entity. Doesn't save it. */
export function answerSets(
  run: Run,
  scored: ScoredEntity & { image: PresentImage },
  sets: readonly ActiveSet[],
  cause: Cause,
  now: number,
  inputOffset: number,
): void {
  if (sets.length === 0) return;
  scored.now = scored.now === null ? now : Math.max(now, scored.now);
  const subject = { ...subjectOf(run, scored, cause), now: scored.now };
  for (const set of sets) {
    const last = scored.answers.get(set.active.name) ?? null;
    const asked: Subject = { ...subject, previousBand: last?.band ?? null, previousPosture: last?.posture ?? null };
    const answering = answeringOf(set, keyOf(scored));
    const given = answerOne(run, answering, asked);
    if (given?.set !== answering.active) scored.faulted.set(set.active.name, answering.active.version);
    else scored.faulted.delete(set.active.name);
    if (given === null) {
      // Without an answer there is no due time either, or it would come again and again.
      if (last !== null) scored.answers.set(set.active.name, { ...last, dueAt: null });
    } else publish(run, { scored, fields: subject.fields }, last, given.set, given.answer, inputOffset);
    if (set.candidate === undefined) continue;
    if (run.shedsShadow && set.candidate.share === 0) leaveToSweep(run, scored, set, last?.beside);
    else {
      putBeside(scored, set, compare(run, set, set.candidate, asked, given?.answer ?? null, last?.beside));
    }
  }
}

/** Asks a version on its way about an entity's image as it stands, and publishes nothing. */
export function compareOnly(run: Run, scored: ScoredEntity & { image: PresentImage }, set: ActiveSet): void {
  const last = scored.answers.get(set.active.name) ?? null;
  if (set.candidate === undefined || last === null || scored.now === null) return;
  const asked: Subject = {
    ...subjectOf(run, scored, NO_CAUSE),
    now: scored.now,
    previousBand: last.band,
    previousPosture: last.posture,
  };
  putBeside(scored, set, compare(run, set, set.candidate, asked, null, last.beside));
}

/** The entity is asked about once there is time: until then it stands nowhere under the version on its way. */
function leaveToSweep(run: Run, scored: ScoredEntity, { active }: ActiveSet, before: LastAnswer['beside']): void {
  const { name, entity } = active;
  forget(run, name, scored, before);
  putBeside(scored, { active, fallback: null }, undefined);
  const key = sweepKey(name);
  const job = sweepOf(run.state, name);
  if (job?.after === '') return;
  const anew: SweepJob = job ?? {
    ...{ kind: 'sweep', cause: NO_CAUSE, entity, set: name, at: scored.now ?? 0, compareOnly: true },
    ...{ after: '', done: 0 },
  };
  run.state.set(key, encodeJob({ ...anew, after: '', done: 0 }));
}

/** It never reaches a result. */
const NO_CAUSE: Cause = { kind: 'sweep', id: '' };

function putBeside(scored: ScoredEntity, { active }: ActiveSet, beside: LastAnswer['beside']): void {
  const known = scored.answers.get(active.name);
  if (known === undefined || known.beside === beside) return;
  const { beside: _, ...last } = known;
  scored.answers.set(active.name, beside === undefined ? last : { ...last, beside });
}

/** The version that answers for an account: of a share of them the one on its way, with the active one beneath. */
export const answeringOf = (set: ActiveSet, accountKey: string): ActiveSet =>
  set.candidate !== undefined && isInCanary(set.candidate.set.version, accountKey, set.candidate)
    ? { active: set.candidate.set, fallback: set.active }
    : set;

function subjectOf(run: Run, scored: ScoredEntity & { image: PresentImage }, cause: Cause) {
  const accountId = scored.entity === 'account' ? scored.id : scored.image.accountId;
  return {
    entity: scored.entity,
    id: scored.id,
    accountId,
    version: scored.image.version,
    imageSeq: scored.imageSeq,
    cause,
    fields: fieldsOf(run, scored),
    account: scored.entity === 'deal' ? accountFields(run, accountId) : null,
    waivers: scored.image.waivers,
  };
}

function publish(
  run: Run,
  sight: Sight,
  last: LastAnswer | null,
  set: CompiledSet,
  answer: Answer,
  inputOffset: number,
): void {
  const { scored } = sight;
  const key = keyOf(scored);
  const { result } = answer;
  run.outputs.push({ kind: 'result', key, answer, inputOffset });
  run.counts.results++;
  if (last === null || last.posture !== result.posture) {
    const from = last === null ? null : { posture: last.posture, outcomes: lastOutcomes(run, last) };
    run.outputs.push({ kind: 'posture', key, change: postureMoved(sight, from, result, set.fixes) });
    run.counts.postureChanges++;
  }
  keepConstraints(run, result);
  scored.answers.set(result.set, {
    version: result.set_version,
    band: result.band,
    posture: result.posture,
    letters: outcomeLetters(result.outcomes),
    dueAt: answer.dueAt === null ? null : Math.max(answer.dueAt, (scored.now ?? 0) + MIN_DUE_STEP_MS),
    ...(last?.beside === undefined ? {} : { beside: last.beside }),
  });
}

/** The posture of a set on an entity ends. Doesn't take its answer away. */
export function endPosture(
  run: Run,
  scored: ScoredEntity,
  set: string,
  last: LastAnswer,
  ending: Parameters<typeof postureEnded>[3],
): void {
  const fields = scored.image === null ? {} : fieldsOf(run, { ...scored, image: scored.image });
  const ended = { version: last.version, posture: last.posture, outcomes: lastOutcomes(run, last) };
  run.outputs.push({
    kind: 'posture',
    key: keyOf(scored),
    change: postureEnded({ scored, fields }, set, ended, ending),
  });
  run.counts.postureChanges++;
}

/** Due times are whole seconds after `now`: one that isn't would be answered for ever. */
const MIN_DUE_STEP_MS = 1;

/** The names that the letters of a version's answers stand for outlive the version itself. */
function keepConstraints(run: Run, { set_version, outcomes }: Result): void {
  const key = constraintsKey(set_version);
  if (run.state.get(key) !== undefined) return;
  run.state.set(key, JSON.stringify(outcomes.map(({ constraint }) => constraint)));
}

function lastOutcomes(run: Run, last: LastAnswer): ReadonlyMap<string, Outcome> {
  const names = run.state.get(constraintsKey(last.version));
  return outcomesByName(last.letters, names === undefined ? [] : (JSON.parse(names) as string[]));
}

/** By the active version, else by the fallback; the whole result comes from one of them (no-torn-set). */
function answerOne(
  run: Run,
  { active, fallback }: ActiveSet,
  subject: Subject,
): { readonly set: CompiledSet; readonly answer: Answer } | null {
  try {
    return { set: active, answer: run.answer(active, subject) };
  } catch (error) {
    if (!(error instanceof SetFault)) throw error;
    countFault(run, active);
    const given = fallback === null ? null : answerFallback(run, fallback, active, error, subject);
    if (given === null) fail(run, active, error, subject);
    return given;
  }
}

function answerFallback(run: Run, fallback: CompiledSet, active: CompiledSet, fault: SetFault, subject: Subject) {
  try {
    const fallbackFrom = { set_version: active.version, code: fault.code, message: fault.message };
    const answer = run.answer(fallback, { ...subject, fallbackFrom });
    run.counts.fallbacks++;
    return { set: fallback, answer };
  } catch (error) {
    if (!(error instanceof SetFault)) throw error;
    countFault(run, fallback);
    return null;
  }
}

function fail(run: Run, set: CompiledSet, fault: SetFault, subject: Subject): void {
  run.counts.failures++;
  run.outputs.push({
    kind: 'failed',
    key: subject.accountId ?? subject.id,
    failure: {
      entity: subject.entity,
      id: subject.id,
      set: set.name,
      setVersion: set.version,
      code: fault.code,
      message: fault.message,
    },
  });
}

/** Guards read the count: a version that faults repeatedly is rolled back. */
function countFault(run: Run, set: CompiledSet): void {
  const key = faultsKey(set.name, set.version);
  run.state.set(key, String(Number(run.state.get(key) ?? 0) + 1));
}

/** Answers the earliest due time of an entity if it is not after `limit`, with `now` = the due time. */
export function fireNextDue(run: Run, scored: ScoredEntity, limit: number, inputOffset: number): boolean {
  if (!canBeScored(scored)) return false;
  const due = nextDueOf(run, scored);
  if (due === null || due > limit) return false;
  const sets = run.control.sets[scored.entity].filter(({ active }) => scored.answers.get(active.name)?.dueAt === due);
  answerSets(run, scored, sets, { kind: 'due', at: instantText(due) }, due, inputOffset);
  run.counts.dueFired++;
  return true;
}
