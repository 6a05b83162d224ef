import type { Contracts } from '../../schemas/contracts.ts';
import { PlumblineError } from '../errors.ts';
import type { ImageRecord, LaneClosed } from '../ingest/image.ts';
import type { EntityKind, Fields } from '../language/contract.ts';
import type { Overlay } from '../log/overlay.ts';
import type { StateReader } from '../log/port.ts';
import { type TextMemo, textMemo } from '../log/text-memo.ts';
import type { ControlView } from './active-set.ts';
import type { ControlFact } from './control-fact.ts';
import { runImageJob } from './image-job.ts';
import { decodeJob, ENTITIES_PER_COMMIT, encodeJob, type Job, type SweepJob, sweepOf } from './job.ts';
import { runRetireJob } from './retire-job.ts';
import {
  answerSets,
  CLOSED,
  canBeScored,
  fireNextDue,
  load,
  noCounts,
  type Run,
  type ScoreCounts,
  type ScoreOutput,
  save,
} from './run.ts';
import type { AnswerFn } from './score.ts';
import {
  after,
  CONTROL_KEY,
  chainKey,
  draining,
  drainingKey,
  faultsKey,
  JOB_KEY,
  laneKey,
  parseTimer,
  redriveKey,
  suffixOf,
  sweepKey,
  sweeps,
  takenFactKey,
  takenFacts,
  tallyKey,
  timerKey,
  timersOf,
} from './state-keys.ts';
import { runSweepJob, sweepOne } from './sweep-job.ts';

export interface ScoreContext {
  readonly contracts: Contracts;
  readonly answer: AnswerFn;
  /** The control log as of this offset; a task asks for the one in its state, never for a lower one. */
  readonly controlAt: (offset: number) => ControlView;
  /** Partitions of both ingest topics: an import is closed once each of them has said so. */
  readonly ingestPartitions: number;
  /** Entities answered in one commit, ENTITIES_PER_COMMIT unless told; a simulation cuts smaller. */
  readonly entitiesPerCommit?: number;
  /** Whether a version in its shadow is not asked now: who changes meanwhile is asked about by a sweep. */
  readonly shedsShadow?: () => boolean;
  /** Kept from step to step by whoever wants to decode less often. */
  readonly memo?: TextMemo<Fields>;
}

export interface Scored {
  readonly outputs: readonly ScoreOutput[];
  readonly counts: ScoreCounts;
  /** Work is left in the state: `resumeJob` comes next, in a commit of its own. */
  readonly isUnfinished: boolean;
}

/** Closed lanes looked at in one search for timers. */
const MAX_DRAINING_LANES = 100;
const FACTS_PAGE = 500;
/** As many as there are sets. */
const MAX_SWEEPS = 100;

/** The number of control facts this task has taken. */
export const controlOffsetIn = (state: StateReader): number => Number(state.get(CONTROL_KEY) ?? 0);

/** Where each fact was taken, in their order. */
export function* factsTakenIn(
  state: StateReader,
): Generator<{ readonly controlOffset: number; readonly inputOffset: number }> {
  const all = takenFacts();
  let range = all;
  for (;;) {
    const page = state.range(range.from, range.to, FACTS_PAGE);
    for (const { key, value } of page)
      yield { controlOffset: Number(suffixOf(key, all)) + 1, inputOffset: Number(value) };
    const last = page[page.length - 1];
    if (last === undefined || page.length < FACTS_PAGE) return;
    range = after(all, suffixOf(last.key, all));
  }
}

export const hasJob = (state: StateReader): boolean => state.get(JOB_KEY) !== undefined;

/** Takes one record of an images partition. Not to be called while a job is unfinished. */
export function scoreImage(state: Overlay, image: ImageRecord, inputOffset: number, context: ScoreContext): Scored {
  const run = open(state, inputOffset, context);
  const isNext = takeLink(run, image);
  if (image.kind === 'lane_closed') {
    closeLane(run, image, context.ingestPartitions);
    if (!isNext) run.counts.repeats++;
    return finish(run, null);
  }
  if (image.imageSeq <= (load(run, image.entity, image.id)?.imageSeq ?? 0)) {
    if (isNext) run.counts.stale++;
    else run.counts.repeats++;
    return finish(run, null);
  }
  // Not the next of its chain, yet newer than what is known: it was lost, and given again by a rebuilt task.
  return advance(run, { kind: 'image', phase: 'due', image, inputOffset, after: '', affected: [] });
}

/** Goes on with the job in the state, under the control state it began with. */
export function resumeJob(state: Overlay, position: number, context: ScoreContext): Scored {
  const run = open(state, position, context);
  const text = state.get(JOB_KEY);
  return text === undefined ? finish(run, null) : advance(run, decodeJob(text));
}

/** Takes the next fact of the control log (monotone-control): a new version sweeps, a redrive rescores, what is retired ends. */
export function takeFact(state: Overlay, fact: ControlFact, position: number, context: ScoreContext): Scored {
  const offset = controlOffsetIn(state);
  state.set(CONTROL_KEY, String(offset + 1));
  state.set(takenFactKey(offset), String(position));
  const run = open(state, position, context);
  const id = `control-${offset}`;
  switch (fact.kind) {
    case 'activated':
    case 'rolled_back':
    case 'shadowed':
    case 'canaried': {
      const entity = run.control.sets.deal.some(({ active }) => active.name === fact.set) ? 'deal' : 'account';
      const cause = { kind: fact.kind === 'rolled_back' ? ('rollback' as const) : ('sweep' as const), id };
      if (fact.kind === 'shadowed') state.set(tallyKey(fact.set), undefined);
      else dropTally(run, fact.set);
      // A version that comes back is not taken back for what it did before.
      if (fact.kind === 'activated' || fact.kind === 'rolled_back')
        state.set(faultsKey(fact.set, fact.version), undefined);
      const job: SweepJob = { kind: 'sweep', cause, entity, set: fact.set, at: fact.at, after: '', done: 0 };
      if (fact.kind === 'rolled_back') {
        state.set(sweepKey(fact.set), undefined);
        return advance(run, job);
      }
      state.set(sweepKey(fact.set), encodeJob(fact.kind === 'shadowed' ? besideOf(state, job) : job));
      return finish(run, null);
    }
    case 'aborted':
      dropTally(run, fact.set);
      if (sweepOf(state, fact.set)?.compareOnly) state.set(sweepKey(fact.set), undefined);
      return finish(run, null);
    case 'stopped':
    case 'retired': {
      state.set(sweepKey(fact.set), undefined);
      const cause = { kind: 'retired' as const, id };
      return advance(run, { kind: 'retire', cause, entity: 'deal', set: fact.set, at: fact.at, after: '' });
    }
    case 'redrive': {
      const scored = load(run, fact.entity, fact.entityId);
      if (canBeScored(scored) && state.get(redriveKey(fact.id)) === undefined) {
        state.set(redriveKey(fact.id), '1');
        const sets = run.control.sets[fact.entity].filter(
          ({ active }) => fact.set === null || active.name === fact.set,
        );
        answerSets(run, scored, sets, { kind: 'redrive', id: fact.id }, fact.at, position);
        save(run, scored);
      }
      return finish(run, null);
    }
    default:
      return finish(run, null);
  }
}

/** Counts are kept while their version is on its way: also where the active one is activated once more. */
function dropTally(run: Run, name: string): void {
  const sets = [...run.control.sets.deal, ...run.control.sets.account];
  if (sets.every(({ active, candidate }) => active.name !== name || candidate === undefined))
    run.state.set(tallyKey(name), undefined);
}

/** A sweep of answers that is not through goes on, and asks the version on its way as well. */
function besideOf(state: StateReader, job: SweepJob): SweepJob {
  const underWay = sweepOf(state, job.set);
  return underWay === null || underWay.compareOnly
    ? { ...job, compareOnly: true }
    : { ...underWay, after: '', done: 0 };
}

/** Sweeps that go on beside the records, by set. */
export const sweepsIn = (state: StateReader): readonly SweepJob[] => {
  const all = sweeps();
  return state.range(all.from, all.to, MAX_SWEEPS).map(({ value }) => decodeJob(value) as SweepJob);
};

export const hasSweep = (state: StateReader): boolean => {
  const all = sweeps();
  return state.range(all.from, all.to, 1).length > 0;
};

/**
 * Goes on with the first sweep. Not to be called while a job is unfinished. null: there is none.
 * @param most entities to work on
 */
export function sweepOn(
  state: Overlay,
  position: number,
  context: ScoreContext,
  most: number,
): (Scored & { readonly worked: number }) | null {
  const job = sweepsIn(state)[0];
  if (job === undefined) return null;
  const run = open(state, position, context);
  const next = runSweepJob(run, job, most);
  state.set(sweepKey(job.set), next.job === null ? undefined : encodeJob(next.job));
  return { ...finish(run, null), worked: next.worked };
}

/** One entity that a sweep answered before, answered again. */
export function sweepOneOf(
  state: Overlay,
  { set, entity, id }: { readonly set: string; readonly entity: EntityKind; readonly id: string },
  position: number,
  context: ScoreContext,
): Scored {
  const run = open(state, position, context);
  const job = sweepOf(state, set);
  const active = run.control.sets[entity].find((one) => one.active.name === set);
  if (job !== null && active !== undefined) sweepOne(run, job, active, id);
  return finish(run, null);
}

/** The next time the wall clock has something to fire: live entities, and imports that are closed. */
export function nextDue(state: StateReader): number | null {
  return peekTimer(state)?.at ?? null;
}

/** A due time that was answered before, given again; nothing where it is not this entity's next. */
export function fireDueOf(
  state: Overlay,
  { entity, id, at }: { readonly entity: EntityKind; readonly id: string; readonly at: number },
  position: number,
  context: ScoreContext,
): Scored {
  const run = open(state, position, context);
  const scored = load(run, entity, id);
  if (scored !== null && fireNextDue(run, scored, at, position)) save(run, scored);
  return finish(run, null);
}

/** Answers what is due until `now`, at most `perCommit` entities, each once; more is due if `nextDue` still says so. */
export function fireDue(state: Overlay, now: number, position: number, context: ScoreContext): Scored {
  const run = open(state, position, context);
  for (const timer of dueTimers(state, now, run.perCommit)) {
    const scored = load(run, timer.entity, timer.id);
    // A timer that leads nowhere is taken away, or it would be found for ever.
    if (scored === null || !fireNextDue(run, scored, now, position))
      state.set(timerKey(timer, timer.entity, timer.id), undefined);
    if (scored !== null) save(run, scored);
  }
  for (const lane of drainingLanes(state))
    if (timersIn(state, lane, 1).length === 0) state.set(drainingKey(lane), undefined);
  return finish(run, null);
}

function open(state: Overlay, position: number, context: ScoreContext): Run {
  const offset = controlOffsetIn(state);
  const control = context.controlAt(offset);
  if (control.offset < offset)
    throw new PlumblineError(
      'PLB-CONTROL-BEHIND',
      `the control log was read to ${control.offset}, this task is at ${offset}`,
      {
        retryable: true,
      },
    );
  return {
    state,
    contracts: context.contracts,
    answer: context.answer,
    control,
    outputs: [],
    counts: noCounts(),
    position,
    loaded: new Map(),
    perCommit: context.entitiesPerCommit ?? ENTITIES_PER_COMMIT,
    memo: context.memo ?? textMemo<Fields>(1),
    tallies: new Map(),
    shedsShadow: context.shedsShadow?.() ?? false,
  };
}

function advance(run: Run, job: Job): Scored {
  switch (job.kind) {
    case 'image':
      return finish(run, runImageJob(run, job));
    case 'sweep':
      return finish(run, runSweepJob(run, job, run.perCommit).job);
    case 'retire':
      return finish(run, runRetireJob(run, job));
  }
}

function finish(run: Run, job: Job | null): Scored {
  for (const [set, tally] of run.tallies) run.state.set(tallyKey(set), JSON.stringify(tally));
  if (job !== null) run.state.set(JOB_KEY, encodeJob(job));
  else if (run.state.get(JOB_KEY) !== undefined) run.state.set(JOB_KEY, undefined);
  return { outputs: run.outputs, counts: run.counts, isUnfinished: job !== null };
}

/** Each record names the input before it: a gap is an alarm. False for one that lies before the last. */
function takeLink(run: Run, image: ImageRecord): boolean {
  const { topic, partition, offset, previous } = image.origin;
  const key = chainKey(topic, partition);
  const text = run.state.get(key);
  const last = text === undefined ? null : Number(text);
  if (previous !== last) {
    if (last !== null && offset <= last) return false;
    run.counts.gaps++;
  }
  run.state.set(key, String(offset));
  return true;
}

function closeLane(run: Run, { lane, origin }: LaneClosed, ingestPartitions: number): void {
  const key = laneKey(lane);
  const text = run.state.get(key);
  if (text === CLOSED) return;
  const closed = new Set<string>(text === undefined ? [] : (JSON.parse(text) as string[]));
  closed.add(`${origin.topic}/${origin.partition}`);
  if (closed.size < ingestPartitions) {
    run.state.set(key, JSON.stringify([...closed]));
    return;
  }
  run.state.set(key, CLOSED);
  run.state.set(drainingKey(lane), '1');
}

interface FoundTimer {
  readonly lane: string;
  readonly at: number;
  readonly entity: 'deal' | 'account';
  readonly id: string;
}

/** The earliest timers until `now`, in order; read at once, because each look at an overlay costs. */
function dueTimers(state: StateReader, now: number, limit: number): readonly FoundTimer[] {
  return ['live', ...drainingLanes(state)]
    .flatMap((lane) => timersIn(state, lane, limit))
    .filter((timer) => timer.at <= now)
    .sort((a, b) => a.at - b.at)
    .slice(0, limit);
}

function peekTimer(state: StateReader): FoundTimer | null {
  let earliest: FoundTimer | null = null;
  for (const lane of ['live', ...drainingLanes(state)]) {
    const timer = timersIn(state, lane, 1)[0];
    if (timer !== undefined && (earliest === null || timer.at < earliest.at)) earliest = timer;
  }
  return earliest;
}

function drainingLanes(state: StateReader): readonly string[] {
  const range = draining();
  return state.range(range.from, range.to, MAX_DRAINING_LANES).map(({ key }) => suffixOf(key, range));
}

function timersIn(state: StateReader, lane: string, limit: number): readonly FoundTimer[] {
  const range = timersOf(lane);
  return state.range(range.from, range.to, limit).map((entry) => ({ lane, ...parseTimer(entry.key, range) }));
}
