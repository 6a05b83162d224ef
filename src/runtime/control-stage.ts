import { decodeRequest } from '../../consumers/requests.ts';
import { answeredRecord } from '../../producers/audit.ts';
import { factRecord } from '../../producers/control.ts';
import { deadLetterRecord } from '../../producers/dead-letters.ts';
import { redrivenLetter } from '../../producers/redrives.ts';
import { PlumblineError } from '../errors.ts';
import type { Overlay } from '../log/overlay.ts';
import type { LogRecord, NewRecord, StateReader, TaskInput } from '../log/port.ts';
import type { Topics } from '../log/topics.ts';
import { type Decision, decide } from '../rollout/decide.ts';
import type { Policy } from '../rollout/policy.ts';
import type { Answered, Request, Signal } from '../rollout/request.ts';
import { blockedBy, type Signals, watch } from '../rollout/watch.ts';
import { jsonWire } from '../wire/json-wire.ts';
import type { KnownFact, Wire } from '../wire/wire.ts';
import type { ControlFollower } from './control.ts';
import { deadLetterCause } from './failure.ts';
import type { Health } from './health.ts';
import { outputName } from './output-name.ts';
import type { Stage, Taken } from './stage.ts';

export interface ControlStageParts {
  readonly topics: Topics;
  readonly control: ControlFollower;
  readonly policy: Policy;
  readonly health: Health;
  readonly partitionsOf: (topic: string) => number;
  /** JSON unless given. */
  readonly wire?: Wire;
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
const CONTROLLER = 'controller';

const NOTHING: Taken = { outputs: [], isUnfinished: false };

/** CONTROL: requests become facts on the control log, or refusals. One task, one partition: whoever has it decides. */
export function controlStage(parts: ControlStageParts): Stage {
  const { topics, control, policy, health, wire = jsonWire } = parts;
  const input: TaskInput = { stage: 'control', topic: topics.requests, partition: 0 };

  function answer(state: Overlay, request: Exclude<Request, Signal>, now: number): readonly NewRecord[] {
    const decision: Decision = decide(control.stateAt(control.offset), request, {
      policy,
      now,
      isKnown: (set, version) => control.isKnown(set, version),
      blockedBy: (set, rollout) => blockedBy(set, rollout, signalsIn(state), policy, now),
    });
    remember(state, request.id);
    const { id, kind, by, reason } = request;
    const said = { request: id, kind, set: request.set, by, at: now, reason: reason ?? null };
    if ('refusal' in decision) {
      health.count(`control.refused.${decision.refusal.code}`);
      return [audit({ ...said, outcome: 'refused', ...decision.refusal })];
    }
    const common = { at: now, by, request: id, ...(reason === undefined ? {} : { reason }) };
    const facts = sealed(
      state,
      decision.facts.map((fact) => ({ ...fact, ...common }) as KnownFact),
    );
    return [...facts, audit({ ...said, outcome: 'accepted', code: null, message: decision.said, hint: null })];
  }

  /** Each is tied to all that was read when it was decided; the next decision waits until these are read too. */
  function sealed(state: Overlay, facts: readonly KnownFact[]): readonly NewRecord[] {
    const seen = control.offset;
    state.set(EXPECTED_KEY, String(seen + facts.length));
    health.count('control.facts', facts.length);
    const seal = { seen, prev: control.chainAt(seen) };
    return facts.map((fact) => factRecord(topics, { ...fact, seal }, wire));
  }

  /** What a task tells is kept, and what follows from it is decided at once. */
  function hear(state: Overlay, signal: Signal, now: number): readonly NewRecord[] {
    state.set(signalKey(signal.by), JSON.stringify(signal));
    const seen = control.stateAt(control.offset);
    const watched = watch(seen, signalsIn(state), policy, parts.partitionsOf(topics.images));
    for (const { fact } of watched) health.count(`control.watched.${fact.kind}`);
    if (watched.length === 0) return [];
    const common = { at: now, by: CONTROLLER, request: signal.id };
    return sealed(
      state,
      watched.map(({ fact, reason }) => ({ ...fact, ...common, reason }) as KnownFact),
    );
  }

  const audit = (answered: Answered): NewRecord => answeredRecord(topics, answered, wire);

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
    nextDue: () => null,
    fireDue: () => NOTHING,
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
