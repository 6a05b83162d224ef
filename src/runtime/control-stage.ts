import { decodeRequest } from '../../consumers/requests.ts';
import { answeredRecord } from '../../producers/audit.ts';
import { factRecord } from '../../producers/control.ts';
import { deadLetterRecord } from '../../producers/dead-letters.ts';
import { redrivenLetter } from '../../producers/redrives.ts';
import { PlumblineError } from '../errors.ts';
import type { Overlay } from '../log/overlay.ts';
import type { LogRecord, NewRecord, StateReader, TaskInput } from '../log/port.ts';
import type { Topics } from '../log/topics.ts';
import { activeOf, type ControlState, NO_SET } from '../rollout/control-state.ts';
import { type Decision, decide } from '../rollout/decide.ts';
import { CONTROLLER, unresolvedRisk } from '../rollout/follow-up.ts';
import type { GuardReading } from '../rollout/guards.ts';
import type { Policy } from '../rollout/policy.ts';
import type { Answered, Request, Signal } from '../rollout/request.ts';
import { accountsIn, blockedBy, type Gates, readingsOf, type Signals, tallyOf, watch } from '../rollout/watch.ts';
import type { ControlFact } from '../scoring/control-fact.ts';
import { jsonWire } from '../wire/json-wire.ts';
import type { KnownFact, Wire } from '../wire/wire.ts';
import type { ControlFollower } from './control.ts';
import { deadLetterCause } from './failure.ts';
import { answerFollowUp, type BookParts, keepFollowUps, lookAgain, nextFollowUp } from './follow-up-book.ts';
import type { Health } from './health.ts';
import { answersBefore, countsAt, keepBegun, keepCounts, keepSample, samplesOf } from './measured.ts';
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

/** Facts that have to be read before the next request is decided: those that this task has appended are among them. */
const EXPECTED_KEY = 'n';
const answeredKey = (id: string): string => `q\u0001${id}`;
/** Answered requests in the order of their answers, so that the oldest can go. */
const orderKey = (number: number): string => `o\u0001${String(number).padStart(15, '0')}`;
const COUNT_KEY = 'c';
/** Requests that are known to be answered: one that comes again after so many others is asked anew. */
const MAX_ANSWERED = 10_000;

/** What a task told last. */
const signalKey = (task: string): string => `t\u0001${task}`;
const SIGNALS = { from: 't\u0001', to: 't\u0002' };
/** Tasks that are heard: as many as the images may have partitions. */
const MAX_SIGNALS = 1_000;
function* factsUntil(control: ControlFollower): Generator<ControlFact> {
  for (let offset = 0; offset < control.offset; offset++) yield control.fact(offset);
}

const NOTHING: Taken = { outputs: [], isUnfinished: false };

/** CONTROL: requests become facts on the control log, or refusals. One task, one partition: whoever has it decides. */
export function controlStage(parts: ControlStageParts): Stage {
  const { topics, control, policy, health, wire = jsonWire, switches = () => ALL_ON } = parts;
  const input: TaskInput = { stage: 'control', topic: topics.requests, partition: 0 };
  const windows = policy.guards.flatMap(({ windowMs }) => windowMs ?? []);
  const longestWindow = windows.length === 0 ? null : Math.max(...windows);
  const book: BookParts = { topics, policy, wire };

  const gatesAt = (state: StateReader, now: number): Gates => ({
    policy,
    now,
    areRolloutsOn: switches().rollouts,
    countsBefore: (version, windowMs) => countsAt(state, version, now - windowMs),
    answersBefore: (rollout) => answersBefore(state, rollout),
  });

  function answer(state: Overlay, request: Exclude<Request, Signal>, now: number): readonly NewRecord[] {
    remember(state, request.id);
    if (request.kind === 'open_follow_up' || request.kind === 'close_follow_up') {
      const { decision, records } = answerFollowUp(state, request, now, book);
      return [...records, answered(request, decision, now)];
    }
    const signals = signalsIn(state);
    const seen = control.stateAt(control.offset);
    const decision: Decision = decide(seen, request, {
      policy,
      now,
      isKnown: (set, version) => control.isKnown(set, version),
      blockedBy: (set, rollout) => blockedBy(set, rollout, signals, gatesAt(state, now)),
      areRolloutsOn: switches().rollouts,
      accounts: accountsIn(signals, parts.partitionsOf(topics.images)),
    });
    if ('refusal' in decision) return [answered(request, decision, now)];
    const { id, by, reason } = request;
    const common = { at: now, by, request: id, ...(reason === undefined ? {} : { reason }) };
    const facts = decision.facts.map((fact) => ({ ...fact, ...common }) as KnownFact);
    const told = facts.flatMap((fact) => withdraw(state, signals, seen, fact, null));
    return [...sealed(state, signals, facts), ...told, answered(request, decision, now)];
  }

  /** Each is tied to all that was read when it was decided; the next decision waits until these are read too. */
  function sealed(state: Overlay, signals: Signals, facts: readonly KnownFact[]): readonly NewRecord[] {
    const seen = control.offset;
    state.set(EXPECTED_KEY, String(seen + facts.length));
    health.count('control.facts', facts.length);
    for (const fact of facts) {
      if (fact.kind === 'shadowed') keepBegun(state, fact.version, 0, tallyOf(fact.set, fact.version, signals));
      if (fact.kind === 'canaried') keepBegun(state, fact.version, fact.step, tallyOf(fact.set, fact.version, signals));
      lookAgain(state, fact.at);
    }
    const seal = { seen, prev: control.chainAt(seen) };
    return facts.map((fact) => factRecord(topics, { ...fact, seal }, wire));
  }

  /** What a task tells is kept, and what follows from it is decided at once. */
  function hear(state: Overlay, signal: Signal, now: number): readonly NewRecord[] {
    state.set(signalKey(signal.by), JSON.stringify(signal));
    const seen = control.stateAt(control.offset);
    const signals = signalsIn(state);
    const watched = watch(seen, signals, parts.partitionsOf(topics.images), gatesAt(state, now));
    for (const { fact } of watched) health.count(`control.watched.${fact.kind}`);
    for (const [name, { rollout }] of seen.sets) {
      if (rollout === null || rollout.phase === 'proposed') continue;
      const { tally, readings } = readingsOf(name, rollout, signals, gatesAt(state, now));
      keepSample(state, rollout.version, readings, now);
      keepCounts(state, rollout.version, tally, longestWindow, now);
    }
    if (watched.length === 0) return [];
    const common = { at: now, by: CONTROLLER, request: signal.id };
    const facts = watched.map((one) => ({ ...one.fact, ...common, reason: one.reason }) as KnownFact);
    const told = facts.flatMap((fact, index) => withdraw(state, signals, seen, fact, watched[index]?.readings ?? []));
    return [...sealed(state, signals, facts), ...told];
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
      tally: rollout === null ? null : tallyOf(set, rollout.version, signals),
    };
    const risk = unresolvedRisk(
      { set, version: from, author: rollout?.author ?? null, id },
      withdrawal.reason,
      policy,
      at,
    );
    return [
      ...withdrawalRecords(topics, withdrawal, factsUntil(control), wire),
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
    if (state.get(answeredKey(request.id)) !== undefined) {
      health.count('control.repeated');
      return NOTHING;
    }
    // The next request is decided on what this one gave: it has to be read first.
    return { outputs: answer(state, request, record.timestampMs), isUnfinished: true };
  }

  return {
    input,
    async prefetch(values) {
      await wire.prepare(values);
      await control.refreshDocuments();
    },
    prepare(state) {
      if (Number(state.get(EXPECTED_KEY) ?? 0) > control.offset)
        throw new PlumblineError('PLB-CONTROL-BEHIND', 'the facts of the last decision are not read yet', {
          retryable: true,
        });
      return null;
    },
    take(state, record) {
      try {
        return take(state, record);
      } catch (error) {
        const cause = deadLetterCause(error);
        health.count(`control.dead_letters.${cause.code}`);
        const from = { topic: input.topic, partition: 0, offset: record.offset };
        return {
          outputs: [deadLetterRecord(topics, record, { from, stage: 'control', ...cause })],
          isUnfinished: false,
        };
      }
    },
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
      nameOf: (output) => outputName(topics, wire, input, output),
    },
  };
}

const signalsIn = (state: StateReader): Signals =>
  new Map(
    state.range(SIGNALS.from, SIGNALS.to, MAX_SIGNALS).map(({ value }) => {
      const signal = JSON.parse(value) as Signal;
      return [signal.by, signal];
    }),
  );

function remember(state: Overlay, id: string): void {
  const count = Number(state.get(COUNT_KEY) ?? 0);
  state.set(COUNT_KEY, String(count + 1));
  state.set(answeredKey(id), '1');
  state.set(orderKey(count), id);
  const oldest = count - MAX_ANSWERED;
  const gone = oldest < 0 ? undefined : state.get(orderKey(oldest));
  if (gone === undefined) return;
  state.set(answeredKey(gone), undefined);
  state.set(orderKey(oldest), undefined);
}
