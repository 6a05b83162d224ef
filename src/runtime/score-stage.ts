import { decodeImage } from '../../consumers/images.ts';
import { deadLetterRecord } from '../../producers/dead-letters.ts';
import { postureRecord } from '../../producers/posture-changes.ts';
import { resultRecord } from '../../producers/scored-results.ts';
import type { Contracts } from '../../schemas/contracts.ts';
import { inTrace, NO_TRACE, traceHeaders } from '../ingest/trace-context.ts';
import type { Fields } from '../language/contract.ts';
import { mergeInto, type Overlay, overlayOn } from '../log/overlay.ts';
import type { Headers, LogRecord, NewRecord, StateReader, TaskInput } from '../log/port.ts';
import { textMemo } from '../log/text-memo.ts';
import type { Topics } from '../log/topics.ts';
import type { ScoreOutput } from '../scoring/run.ts';
import type { AnswerFn } from '../scoring/score.ts';
import { JOB_TRACE_KEY } from '../scoring/state-keys.ts';
import {
  controlOffsetIn,
  factsTakenIn,
  fireDue,
  fireDueOf,
  hasJob,
  nextDue,
  resumeJob,
  type ScoreContext,
  type Scored,
  scoreImage,
  sweepOn,
  sweepOneOf,
  takeFact,
} from '../scoring/step.ts';
import { jsonWire } from '../wire/json-wire.ts';
import type { Wire } from '../wire/wire.ts';
import type { ControlFollower } from './control.ts';
import { derivedChange } from './derived-change.ts';
import { deadLetterCause } from './failure.ts';
import type { Health } from './health.ts';
import { outputName } from './output-name.ts';
import { markRetired, retiredAt } from './retired-point.ts';
import type { Stage, Taken } from './stage.ts';

export interface ScoreStageParts {
  readonly topics: Topics;
  readonly contracts: Contracts;
  readonly partitionsOf: (topic: string) => number;
  readonly control: ControlFollower;
  readonly answer: AnswerFn;
  readonly health: Health;
  /** JSON unless given. */
  readonly wire?: Wire;
  /** See ScoreContext. */
  readonly entitiesPerCommit?: number;
  readonly shedsShadow?: () => boolean;
}

/** Images of one task whose decoded fields stay in memory: at most about 16 MB. */
const REMEMBERED_IMAGES = 4_000;

const NO_RECORD = { key: null, value: null, headers: {} };

/** SCORE: a partition of images becomes results and posture changes. */
export function scoreStage(parts: ScoreStageParts, partition: number): Stage {
  const { topics, contracts, health, control, answer, wire = jsonWire } = parts;
  const input: TaskInput = { stage: 'score', topic: topics.images, partition };
  const context: ScoreContext = {
    contracts,
    answer,
    controlAt: (offset) => control.viewAt(offset),
    memo: textMemo<Fields>(REMEMBERED_IMAGES),
    ingestPartitions: parts.partitionsOf(topics.dealChanges) + parts.partitionsOf(topics.accountChanges),
    ...(parts.shedsShadow === undefined ? {} : { shedsShadow: parts.shedsShadow }),
    ...(parts.entitiesPerCommit === undefined ? {} : { entitiesPerCommit: parts.entitiesPerCommit }),
  };

  function toRecord(state: StateReader, output: ScoreOutput, record: LogRecord | null, position: number): NewRecord {
    switch (output.kind) {
      case 'result':
        return resultRecord(
          topics,
          output.key,
          output.answer,
          {
            controlOffset: controlOffsetIn(state),
            inputOffset: output.inputOffset,
          },
          wire,
        );
      case 'posture': {
        const posture = postureRecord(topics, output.key, output.change, wire);
        return output.change.cause.kind === 'retired'
          ? markRetired(posture, { inputOffset: position, controlOffset: controlOffsetIn(state) })
          : posture;
      }
      case 'failed': {
        const { code, message, ...failed } = output.failure;
        health.count(`score.dead_letters.${code}`);
        // A due time or a sweep has no record of its own; a redrive needs none.
        const from = { topic: topics.images, partition, offset: record?.offset ?? 0 };
        const dead = { ...(record ?? NO_RECORD), key: output.key };
        return deadLetterRecord(topics, dead, { from, stage: 'score', code, message, failed });
      }
      case 'move':
        return derivedChange(topics, input, output.change, contracts, output.intake, wire);
    }
  }

  function told(
    state: StateReader,
    scored: Scored,
    record: LogRecord | null,
    position: number,
    trace = NO_TRACE,
  ): Taken {
    for (const [name, count] of Object.entries(scored.counts)) health.count(`score.${name}`, count);
    if (scored.counts.gaps > 0)
      health.critical(
        `score/${partition}`,
        'an image names an input that never came: rebuild the state from its input',
      );
    return {
      outputs: scored.outputs.map((output) => inTrace(toRecord(state, output, record, position), trace)),
      isUnfinished: scored.isUnfinished,
    };
  }

  /** Goes on in the trace of the record that began the job. */
  function goOn(state: Overlay, position: number): Taken {
    const text = state.get(JOB_TRACE_KEY);
    const scored = resumeJob(state, position, context);
    if (text === undefined) return told(state, scored, null, position);
    if (!scored.isUnfinished) state.set(JOB_TRACE_KEY, undefined);
    return told(state, scored, null, position, JSON.parse(text) as Headers);
  }

  return {
    input,
    prepare(state, position, facts = Number.POSITIVE_INFINITY) {
      if (hasJob(state)) return goOn(state, position);
      const offset = controlOffsetIn(state);
      if (offset > control.offset) control.viewAt(offset);
      // Run again, it takes each fact where it did: none is passed over because it is not read yet.
      if (Number.isFinite(facts)) control.stateAt(facts);
      if (offset >= Math.min(control.offset, facts)) return null;
      return told(state, takeFact(state, control.fact(offset), position, context), null, position);
    },
    take(state, record) {
      health.count('score.records');
      const fork = overlayOn(state);
      try {
        const scored = scoreImage(fork, decodeImage(record, wire), record.offset, context);
        const trace = traceHeaders(record.headers);
        if (scored.isUnfinished && trace !== NO_TRACE) fork.set(JOB_TRACE_KEY, JSON.stringify(trace));
        mergeInto(state, fork);
        return told(state, scored, record, record.offset, trace);
      } catch (error) {
        const cause = deadLetterCause(error);
        health.count(`score.dead_letters.${cause.code}`);
        const from = { topic: topics.images, partition, offset: record.offset };
        return { outputs: [deadLetterRecord(topics, record, { from, stage: 'score', ...cause })], isUnfinished: false };
      }
    },
    sweep(state, position, most) {
      const swept = sweepOn(state, position, context, most);
      return swept && { ...told(state, swept, null, position), worked: swept.worked };
    },
    nextDue: (state) => nextDue(state),
    fireDue: (state, now, position) => told(state, fireDue(state, now, position, context), null, position),
    history: {
      // Data topics have as many partitions: a key's results lie where its images do.
      points: [
        { topic: topics.postures, partition },
        { topic: topics.results, partition },
      ],
      factsTakenIn,
      pointOf(record) {
        if (record.topic === topics.postures) return retiredAt(record);
        const { cause, set, entity, id, control_offset, input_offset } = wire.result.decode(record).value;
        const due = cause.kind === 'due' ? { entity, id, at: Date.parse(cause.at) } : null;
        const swept = cause.kind === 'sweep' ? { set, entity, id } : null;
        return { inputOffset: input_offset ?? 0, controlOffset: control_offset ?? 0, due, swept };
      },
      fireDueOf: (state, due, position) => told(state, fireDueOf(state, due, position, context), null, position),
      sweepOneOf: (state, swept, position) => told(state, sweepOneOf(state, swept, position, context), null, position),
      nameOf: (output) => outputName(topics, wire, input, output),
    },
  };
}
