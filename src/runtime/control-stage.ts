import { decodeRequest } from '../../consumers/requests.ts';
import { answeredRecord } from '../../producers/audit.ts';
import { factRecord } from '../../producers/control.ts';
import { deadLetterRecord } from '../../producers/dead-letters.ts';
import { redrivenLetter } from '../../producers/redrives.ts';
import { PlumblineError } from '../errors.ts';
import type { Overlay } from '../log/overlay.ts';
import type { LogRecord, NewRecord, TaskInput } from '../log/port.ts';
import type { Topics } from '../log/topics.ts';
import { type Decision, decide } from '../rollout/decide.ts';
import type { Policy } from '../rollout/policy.ts';
import type { Answered, Request } from '../rollout/request.ts';
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

const NOTHING: Taken = { outputs: [], isUnfinished: false };

/** CONTROL: requests become facts on the control log, or refusals. One task, one partition: whoever has it decides. */
export function controlStage(parts: ControlStageParts): Stage {
  const { topics, control, policy, health, wire = jsonWire } = parts;
  const input: TaskInput = { stage: 'control', topic: topics.requests, partition: 0 };

  function answer(state: Overlay, request: Request, now: number): readonly NewRecord[] {
    const seen = control.offset;
    const decision: Decision = decide(control.stateAt(seen), request, {
      policy,
      now,
      isKnown: (set, version) => control.isKnown(set, version),
      blockedBy: () => null,
    });
    remember(state, request.id);
    const { id, kind, by, reason } = request;
    const said = { request: id, kind, set: request.set, by, at: now, reason: reason ?? null };
    if ('refusal' in decision) {
      health.count(`control.refused.${decision.refusal.code}`);
      return [audit({ ...said, outcome: 'refused', ...decision.refusal })];
    }
    state.set(EXPECTED_KEY, String(seen + decision.facts.length));
    health.count('control.facts', decision.facts.length);
    const common = { at: now, by, request: id, ...(reason === undefined ? {} : { reason }) };
    const seal = { seen, prev: control.chainAt(seen) };
    const facts = decision.facts.map((fact) => factRecord(topics, { ...fact, ...common, seal } as KnownFact, wire));
    return [...facts, audit({ ...said, outcome: 'accepted', code: null, message: decision.said, hint: null })];
  }

  const audit = (answered: Answered): NewRecord => answeredRecord(topics, answered, wire);

  function take(state: Overlay, record: LogRecord): Taken {
    // The note of a redrive, which asks for nothing.
    if (redrivenLetter(record) !== null) return NOTHING;
    health.count('control.requests');
    const request = decodeRequest(record, wire);
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
