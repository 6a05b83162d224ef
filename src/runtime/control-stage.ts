import { decodeRequest } from '../../consumers/requests.ts';
import { answeredRecord } from '../../producers/audit.ts';
import { factRecord } from '../../producers/control.ts';
import { deadLetterRecord } from '../../producers/dead-letters.ts';
import { redrivenLetter } from '../../producers/redrives.ts';
import { PlumblineError } from '../errors.ts';
import { mergeInto, type Overlay, overlayOn } from '../log/overlay.ts';
import { taskName } from '../log/place.ts';
import type { LogRecord, NewRecord, StateReader, TaskInput } from '../log/port.ts';
import type { Topics } from '../log/topics.ts';
import { nextAfter } from '../rollout/coming-step.ts';
import { activeOf, type ControlState, NO_SET, reduce } from '../rollout/control-state.ts';
import { type DecideContext, type Decision, decide } from '../rollout/decide.ts';
import { CONTROLLER, unresolvedRisk } from '../rollout/follow-up.ts';
import type { GuardReading } from '../rollout/guards.ts';
import type { Policy } from '../rollout/policy.ts';
import type { Answered, FollowUpRequest, Request, Signal } from '../rollout/request.ts';
import { isOlder } from '../rollout/signal-order.ts';
import { accountsIn, blockedBy, type Gates, readingsOf, type Signals, tallyOf, watch } from '../rollout/watch.ts';
import type { ControlFact } from '../scoring/control-fact.ts';
import { noTally } from '../scoring/tally.ts';
import { jsonWire } from '../wire/json-wire.ts';
import type { KnownFact, Wire } from '../wire/wire.ts';
import { isAnswered, rememberAnswered } from './answered-requests.ts';
import type { ControlFollower } from './control.ts';
import { isRead, type Decision as Made, openDecisions } from './decisions.ts';
import { deadLetterCause } from './failure.ts';
import { answerFollowUp, type BookParts, keepFollowUps, lookAgain, nextFollowUp } from './follow-up-book.ts';
import type { Health } from './health.ts';
import {
  answersBefore,
  countsAt,
  dropCounts,
  dropMeasured,
  keepBegun,
  keepCounts,
  keepSample,
  samplesOf,
} from './measured.ts';
import { outputName } from './output-name.ts';
import type { Stage, Taken } from './stage.ts';
import { ALL_ON, type Switches } from './switches.ts';
import { isWithdrawal, type Withdrawal, withdrawalRecords } from './withdrawal.ts';

export interface ControlStageParts {
  readonly topics: Topics;
  readonly control: ControlFollower;
  readonly policy: Policy;
  readonly health: Health;
  readonly partitionsOf: (topic: string) => number;
  /** JSON unless given. */
  readonly wire?: Wire;
  /** All on unless given. */
  readonly switches?: () => Switches;
}

/** The last decision: its facts have to be read before the next request is decided. */
const DECIDED_KEY = 'd';

/** What a task told last. */
const signalKey = (task: string): string => `t\u0001${task}`;
const SIGNALS = { from: 't\u0001', to: 't\u0002' };
/** Tasks that are heard: as many as the images may have partitions. */
const MAX_SIGNALS = 1_000;

function* factsUntil(control: ControlFollower, end: number, fact: KnownFact): Generator<ControlFact> {
  for (let offset = 0; offset < end; offset++) yield control.fact(offset);
  yield fact;
}

const NOTHING: Taken = { outputs: [], isUnfinished: false };

/** CONTROL: requests become facts on the control log, or refusals. One task, one partition: whoever has it decides. */
export function controlStage(parts: ControlStageParts): Stage {
  const { topics, control, policy, health, wire = jsonWire, switches = () => ALL_ON } = parts;
  const input: TaskInput = { stage: 'control', topic: topics.requests, partition: 0 };
  const windows = policy.guards.flatMap(({ windowMs }) => windowMs ?? []);
  const longestWindow = windows.length === 0 ? null : Math.max(...windows);
  const book: BookParts = { topics, policy, wire };
  const partitions = Array.from({ length: parts.partitionsOf(topics.images) }, (_, partition) => partition);
  const tasks = new Set(partitions.map((partition) => taskName({ stage: 'score', topic: topics.images, partition })));

  const gatesAt = (state: StateReader, now: number): Gates => ({
    policy,
    now,
    areRolloutsOn: switches().rollouts,
    countsBefore: (version, windowMs) => countsAt(state, version, now - windowMs),
    answersBefore: (rollout) => answersBefore(state, rollout),
  });

  /** @param offset how many facts it is decided on */
  function answer(
    state: Overlay,
    request: Exclude<Request, Signal>,
    now: number,
    offset = control.offset,
  ): readonly NewRecord[] {
    rememberAnswered(state, request.id);
    if (isOfFollowUp(request)) {
      const { decision, records } = answerFollowUp(state, request, now, book);
      return [...records, answered(request, decision, now)];
    }
    const signals = signalsIn(state);
    const seen = control.stateAt(offset);
    const context: DecideContext = {
      policy,
      now,
      isKnown: (set, version) => control.isKnown(set, version),
      blockedBy: (set, rollout) => blockedBy(set, rollout, signals, gatesAt(state, now)),
      areRolloutsOn: switches().rollouts,
      accounts: accountsIn(signals, tasks.size),
    };
    const decision: Decision = decide(seen, request, context);
    if ('refusal' in decision) return [answered(request, decision, now)];
    const { id, by, reason } = request;
    const common = { at: now, by, request: id, ...(reason === undefined ? {} : { reason }) };
    const facts = decision.facts.map((fact) => ({ ...fact, ...common }) as KnownFact);
    const told = facts.flatMap((fact) => withdraw(state, signals, seen, fact, null));
    const placed = sealed(state, signals, { request: id, seen: offset }, facts);
    // After the step began: what counts for it counts from now on.
    const next = nextAfter(request.set, decision.facts, facts.reduce(reduce, seen), context);
    return [...placed, ...told, answered(request, { ...decision, said: `${decision.said}; next: ${next}` }, now)];
  }

  /** Each is tied to all that was read when it was decided; the next decision waits until these are read too. */
  function sealed(
    state: Overlay,
    signals: Signals,
    { request, seen }: Pick<Made, 'request' | 'seen'>,
    facts: readonly KnownFact[],
  ): readonly NewRecord[] {
    const decided: Made = { request, seen, facts: facts.length };
    state.set(DECIDED_KEY, JSON.stringify(decided));
    health.count('control.facts', facts.length);
    for (const fact of facts) {
      begin(state, signals, fact, seen);
      lookAgain(state, fact.at);
    }
    const seal = { seen, prev: control.chainAt(seen) };
    return facts.map((fact) => factRecord(topics, { ...fact, seal }, wire));
  }

  /** What a task tells, and what the guards measure with it; false where it is older than what is known. */
  function keep(state: Overlay, signal: Signal, now: number, seen: number): boolean {
    // Anybody may write requests: what no task is called takes no room, and counts for none.
    if (!tasks.has(signal.by)) {
      health.count('control.unknown_signals');
      return false;
    }
    const key = signalKey(signal.by);
    const known = state.get(key);
    if (known !== undefined && isOlder(signal, JSON.parse(known) as Signal)) {
      health.count('control.late_signals');
      return false;
    }
    state.set(key, JSON.stringify(signal));
    sample(state, signalsIn(state), control.stateAt(seen), now);
    return true;
  }

  /** What a task tells is kept, and what follows from it is decided at once. */
  function hear(state: Overlay, signal: Signal, now: number, offset = control.offset): readonly NewRecord[] {
    if (!keep(state, signal, now, offset)) return [];
    const seen = control.stateAt(offset);
    const signals = signalsIn(state);
    const watched = watch(seen, signals, tasks.size, gatesAt(state, now));
    for (const { fact } of watched) health.count(`control.watched.${fact.kind}`);
    if (watched.length === 0) return [];
    const common = { at: now, by: CONTROLLER, request: signal.id };
    const facts = watched.map((one) => ({ ...one.fact, ...common, reason: one.reason }) as KnownFact);
    const told = facts.flatMap((fact, index) => withdraw(state, signals, seen, fact, watched[index]?.readings ?? []));
    return [...sealed(state, signals, { request: signal.id, seen: offset }, facts), ...told];
  }

  /** What was counted of a version until a step of its canary begins is no part of that; of one that is over nothing is kept. */
  function begin(state: Overlay, signals: Signals, fact: KnownFact, seen: number): void {
    if (fact.kind === 'activated' || fact.kind === 'rolled_back' || fact.kind === 'aborted') {
      const over = control.stateAt(seen).sets.get(fact.set)?.rollout ?? null;
      if (over !== null) dropMeasured(state, over.version);
    }
    if (fact.kind === 'shadowed') {
      keepBegun(state, fact.version, 0, noTally(fact.version));
      dropCounts(state, fact.version);
    }
    if (fact.kind !== 'canaried') return;
    const rollout = control.stateAt(seen).sets.get(fact.set)?.rollout ?? null;
    if (rollout !== null) keepBegun(state, fact.version, fact.step, tallyOf(fact.set, rollout, signals));
  }

  /** Keeps what the guards measure, for whoever has to look at it later. */
  function sample(state: Overlay, signals: Signals, { sets }: ControlState, now: number): void {
    for (const [name, { rollout }] of sets) {
      if (rollout === null || rollout.phase === 'proposed') continue;
      const { tally, readings } = readingsOf(name, rollout, signals, gatesAt(state, now));
      keepSample(state, rollout.version, readings, now);
      keepCounts(state, rollout.version, tally, longestWindow, now);
    }
  }

  /** What is told of a version that a fact takes back. @param readings null: somebody asked for it */
  function withdraw(
    state: Overlay,
    signals: Signals,
    seen: ControlState,
    fact: KnownFact,
    readings: readonly GuardReading[] | null,
  ): readonly NewRecord[] {
    if (!isWithdrawal(fact, readings !== null) || fact.kind === 'redrive' || fact.set === null) return [];
    const { set, at, by, request: id = '' } = fact;
    const before = seen.sets.get(set) ?? NO_SET;
    const { rollout } = before;
    const isOfRollout =
      rollout !== null &&
      (readings === null ? rollout.phase === 'canary' : readings.length > 0 || fact.kind === 'aborted');
    const from = isOfRollout ? rollout.version : activeOf(before);
    const withdrawal: Withdrawal = {
      ...{ id, set, at, by, from },
      outcome: fact.kind === 'rolled_back' ? 'rolled_back' : fact.kind === 'stopped' ? 'stopped' : 'aborted',
      to: fact.kind === 'rolled_back' ? fact.version : fact.kind === 'aborted' ? activeOf(before) : null,
      reason: fact.reason ?? `${by} asked for it`,
      readings: readings ?? (isOfRollout ? readingsOf(set, rollout, signals, gatesAt(state, at)).readings : []),
      samples: from === null ? [] : samplesOf(state, from),
      tally: rollout === null ? null : tallyOf(set, rollout, signals),
    };
    const author = isOfRollout ? rollout.author : by;
    const risk = unresolvedRisk({ set, version: from, author }, withdrawal.reason, policy, at);
    return [
      ...withdrawalRecords(topics, withdrawal, factsUntil(control, seen.offset, fact), wire),
      ...keepFollowUps(state, seen, [risk], at, book),
    ];
  }

  function answered({ id, kind, set, by, reason }: Request, decision: Decision, now: number): NewRecord {
    const said = { request: id, kind, set, by, at: now, reason: reason ?? null };
    if (!('refusal' in decision))
      return audit({ ...said, outcome: 'accepted', code: null, message: decision.said, hint: null });
    health.count(`control.refused.${decision.refusal.code}`);
    return audit({ ...said, outcome: 'refused', ...decision.refusal });
  }

  const audit = (answer: Answered): NewRecord => answeredRecord(topics, answer, wire);

  function take(state: Overlay, record: LogRecord): Taken {
    // The note of a redrive, which asks for nothing.
    if (redrivenLetter(record) !== null) return NOTHING;
    health.count('control.requests');
    const request = decodeRequest(record, wire);
    if (request.kind === 'signal') {
      const outputs = hear(state, request, record.timestampMs);
      return { outputs, isUnfinished: outputs.length > 0 };
    }
    if (isAnswered(state, request.id)) {
      health.count('control.repeated');
      return NOTHING;
    }
    // The next request is decided on what this one gave: it has to be read first.
    return { outputs: answer(state, request, record.timestampMs), isUnfinished: true };
  }

  const decidedOn = openDecisions(control);

  /**
   * A record whose decision may lie on the log: it is made again on the facts that it was made on, never on those of
   * now. What gave no fact decides nothing, unless it is in doubt whether it was decided at all.
   */
  function retake(state: Overlay, record: LogRecord, isInDoubt: boolean): Taken {
    if (redrivenLetter(record) !== null) return NOTHING;
    const request = decodeRequest(record, wire);
    const now = record.timestampMs;
    if (request.kind !== 'signal' && isAnswered(state, request.id)) return NOTHING;
    const last = lastIn(state);
    const seen = decidedOn(request.id);
    // A signal that came twice gave its facts once.
    if (seen !== undefined && seen > (last?.seen ?? -1)) {
      const outputs = request.kind === 'signal' ? hear(state, request, now, seen) : answer(state, request, now, seen);
      return isInDoubt ? { outputs, isUnfinished: false } : NOTHING;
    }
    if (isInDoubt) {
      if (last !== null && !isRead(control, last)) throw behind();
      return take(state, record);
    }
    if (request.kind === 'signal') keep(state, request, now, last === null ? 0 : last.seen + last.facts);
    else if (isOfFollowUp(request)) answer(state, request, now);
    else rememberAnswered(state, request.id);
    return NOTHING;
  }

  /** Nothing of a record that can't be taken stays in the state. */
  function guarded(state: Overlay, record: LogRecord, work: (fork: Overlay) => Taken): Taken {
    const fork = overlayOn(state);
    try {
      const taken = work(fork);
      mergeInto(state, fork);
      return taken;
    } catch (error) {
      const cause = deadLetterCause(error);
      health.count(`control.dead_letters.${cause.code}`);
      const from = { topic: input.topic, partition: 0, offset: record.offset };
      return {
        outputs: [deadLetterRecord(topics, record, { from, stage: 'control', ...cause })],
        isUnfinished: false,
      };
    }
  }

  return {
    input,
    async prefetch(values) {
      await wire.prepare(values);
      await control.refreshDocuments();
    },
    prepare(state, _, facts) {
      // Run again, it takes decisions that were made long ago.
      const last = facts === undefined ? lastIn(state) : null;
      if (last !== null && !isRead(control, last)) throw behind();
      return null;
    },
    take: (state, record) => guarded(state, record, (fork) => take(fork, record)),
    nextDue: nextFollowUp,
    fireDue: (state, now) => ({
      outputs: keepFollowUps(state, control.stateAt(control.offset), [], now, book),
      isUnfinished: false,
    }),
    history: {
      points: [],
      factsTakenIn: () => [],
      pointOf: () => null,
      fireDueOf: () => NOTHING,
      retake: (state, record, isInDoubt) => guarded(state, record, (fork) => retake(fork, record, isInDoubt)),
      nameOf: (output) => outputName(topics, wire, input, output),
    },
  };
}

const isOfFollowUp = (request: Request): request is FollowUpRequest =>
  request.kind === 'open_follow_up' || request.kind === 'close_follow_up';

const behind = (): PlumblineError =>
  new PlumblineError('PLB-CONTROL-BEHIND', 'the facts of the last decision are not read yet', { retryable: true });

function lastIn(state: StateReader): Made | null {
  const text = state.get(DECIDED_KEY);
  return text === undefined ? null : (JSON.parse(text) as Made);
}

const signalsIn = (state: StateReader): Signals =>
  new Map(
    state.range(SIGNALS.from, SIGNALS.to, MAX_SIGNALS).map(({ value }) => {
      const signal = JSON.parse(value) as Signal;
      return [signal.by, signal];
    }),
  );
