import {
  type Attributes,
  type Context,
  type Tracer as OtelTracer,
  ROOT_CONTEXT,
  type Span,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';
import { deadLetterCode } from '../../producers/dead-letters.ts';
import { PlumblineError } from '../errors.ts';
import { type TraceParent, traceParentOf, withTraceParent } from '../ingest/trace-context.ts';
import type { LogRecord, NewRecord, TaskInput } from '../log/port.ts';
import type { Tracer, WorkTrace } from '../runtime/tracer.ts';
import type { Instruments } from './instruments.ts';
import { ATTRIBUTE, type MessagingSystem, OPERATION_TYPE, type Operation } from './names.ts';

export interface TracerParts {
  readonly tracer: OtelTracer;
  readonly instruments: Instruments;
  readonly system: MessagingSystem;
  readonly groupOf: (input: TaskInput) => string;
  /** Attributes of every measurement. */
  readonly attributes: Attributes;
}

/** Links of one span, at most; the SDK keeps no more. */
const MAX_LINKS = 128;
const KINDS = { poll: SpanKind.CLIENT, process: SpanKind.CONSUMER, send: SpanKind.PRODUCER } as const;

/**
 * Spans of a task's work: `poll`, then `process` of the batch, and in that a `send` for each topic of the commit. A
 * record in a sampled trace has a `process` of its own there; a record that comes alone needs none but the batch's.
 * No value, no field and no key of a record becomes an attribute.
 */
export const makeTracer = (parts: TracerParts): Tracer => ({ begin: (input) => beginWork(parts, input) });

interface Timed {
  readonly span: Span;
  readonly startMs: number;
}

function beginWork(parts: TracerParts, input: TaskInput): WorkTrace {
  const { tracer, instruments } = parts;
  const now = makeClock();
  let pollMs: number | null = null;
  let batch: Timed | null = null;
  /** Of the record that is taken now; the batch's where it is alone. */
  let current: Span | null = null;
  const processed: SpanContext[] = [];

  const attributesOf = (operation: Operation, topic: string, more: Attributes = {}): Attributes => ({
    [ATTRIBUTE.system]: parts.system,
    [ATTRIBUTE.operation]: operation,
    [ATTRIBUTE.operationType]: OPERATION_TYPE[operation],
    [ATTRIBUTE.topic]: topic,
    ...more,
  });
  const source: Attributes = {
    [ATTRIBUTE.partition]: String(input.partition),
    [ATTRIBUTE.group]: parts.groupOf(input),
  };
  const offsetOf = (record: LogRecord): Attributes =>
    parts.system === 'kafka'
      ? {
          [ATTRIBUTE.kafkaOffset]: record.offset,
          ...(record.value === null ? { [ATTRIBUTE.kafkaTombstone]: true } : {}),
        }
      : { [ATTRIBUTE.offset]: record.offset };

  function start(
    operation: Operation,
    topic: string,
    startMs: number,
    parent: Context,
    links: readonly SpanContext[],
    attributes: Attributes,
  ): Span {
    return tracer.startSpan(
      `${operation} ${topic}`,
      {
        kind: KINDS[operation],
        startTime: startMs,
        links: links.slice(0, MAX_LINKS).map((context) => ({ context })),
        attributes: attributesOf(operation, topic, attributes),
      },
      parent,
    );
  }

  function failPoll(error: unknown): void {
    if (pollMs === null) return;
    const failure = failureOf(error);
    const span = start('poll', input.topic, pollMs, ROOT_CONTEXT, [], { ...source, ...failure });
    endSpan(span, now(), failure);
    instruments.operated((now() - pollMs) / 1000, {
      ...attributesOf('poll', input.topic, source),
      ...parts.attributes,
      ...failure,
    });
  }

  return {
    polling() {
      pollMs = now();
    },
    received(records) {
      const startMs = now();
      const count = { [ATTRIBUTE.batchCount]: records.length };
      const contexts = contextsOf(records);
      const poll = start('poll', input.topic, pollMs ?? startMs, ROOT_CONTEXT, contexts, { ...source, ...count });
      endSpan(poll, startMs);
      const measured = { ...attributesOf('poll', input.topic, source), ...parts.attributes };
      instruments.operated((startMs - (pollMs ?? startMs)) / 1000, measured);
      instruments.consumed(records.length, measured);
      const [first] = records;
      const alone = records.length === 1 && first !== undefined ? first : null;
      const parent = alone === null ? null : traceParentOf(alone.headers);
      const span =
        parent !== null && alone !== null
          ? start('process', input.topic, startMs, contextIn(remote(parent)), [poll.spanContext()], {
              ...source,
              ...offsetOf(alone),
            })
          : start('process', input.topic, startMs, contextIn(poll.spanContext()), contexts, { ...source, ...count });
      batch = { span, startMs };
      if (parent !== null) current = span;
    },
    take(record) {
      const parent = traceParentOf(record.headers);
      if (parent === null) return record;
      if (current === null && parent.isSampled) {
        const links = batch === null ? [] : [batch.span.spanContext()];
        current = start('process', input.topic, now(), contextIn(remote(parent)), links, {
          ...source,
          ...offsetOf(record),
        });
      }
      return current === null ? record : handOn(record, current.spanContext());
    },
    taken(outputs) {
      if (current === null) return;
      const failure = deadLetterFailure(outputs);
      if (current === batch?.span) {
        if (failure !== undefined) markFailed(current, failure);
      } else {
        if (processed.length < MAX_LINKS && isSampled(current.spanContext())) processed.push(current.spanContext());
        endSpan(current, now(), failure);
      }
      current = null;
    },
    sending(outputs) {
      const startMs = now();
      const parent = batch === null ? ROOT_CONTEXT : contextIn(batch.span.spanContext());
      const sends = [...countByTopic(outputs)].map(([topic, count]) => ({
        topic,
        count,
        span: start('send', topic, startMs, parent, processed, { [ATTRIBUTE.batchCount]: count }),
      }));
      return (error) => {
        const endMs = now();
        const failure = error === undefined ? undefined : failureOf(error);
        for (const { topic, count, span } of sends) {
          endSpan(span, endMs, failure);
          const measured = { ...attributesOf('send', topic), ...parts.attributes, ...failure };
          instruments.operated((endMs - startMs) / 1000, measured);
          instruments.sent(count, measured);
        }
      };
    },
    end(error) {
      const failure = error === undefined ? undefined : failureOf(error);
      if (current !== null && current !== batch?.span) endSpan(current, now(), failure);
      if (batch === null) {
        if (error !== undefined) failPoll(error);
        return;
      }
      endSpan(batch.span, now(), failure);
      instruments.processed((now() - batch.startMs) / 1000, {
        ...attributesOf('process', input.topic, source),
        ...parts.attributes,
        ...failure,
      });
    },
  };
}

/** Milliseconds since 1970 with their fraction, which never go back within one work. */
function makeClock(): () => number {
  const startMs = Date.now();
  const started = performance.now();
  return () => startMs + (performance.now() - started);
}

const isSampled = ({ traceFlags }: SpanContext): boolean => (traceFlags & 1) === 1;

const remote = ({ traceId, spanId, isSampled: sampled }: TraceParent): SpanContext => ({
  traceId,
  spanId,
  traceFlags: sampled ? 1 : 0,
  isRemote: true,
});

const contextIn = (context: SpanContext): Context => trace.setSpanContext(ROOT_CONTEXT, context);

function contextsOf(records: readonly LogRecord[]): readonly SpanContext[] {
  const contexts: SpanContext[] = [];
  for (const { headers } of records) {
    const parent = traceParentOf(headers);
    if (parent?.isSampled) contexts.push(remote(parent));
    if (contexts.length === MAX_LINKS) break;
  }
  return contexts;
}

/** What nobody records names no parent: the record then goes on as it came. */
function handOn(record: LogRecord, context: SpanContext): LogRecord {
  if (!isSampled(context)) return record;
  const { traceId, spanId } = context;
  return { ...record, headers: withTraceParent(record.headers, { traceId, spanId, isSampled: true }) };
}

function countByTopic(outputs: readonly NewRecord[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { topic } of outputs) counts.set(topic, (counts.get(topic) ?? 0) + 1);
  return counts;
}

/** By its code: a message can quote what a record holds. */
const failureOf = (error: unknown): Attributes => ({
  [ATTRIBUTE.errorType]: error instanceof PlumblineError ? error.code : error instanceof Error ? error.name : '_OTHER',
});

function deadLetterFailure(outputs: readonly NewRecord[]): Attributes | undefined {
  for (const { headers } of outputs) {
    const code = deadLetterCode(headers);
    if (code !== null) return { [ATTRIBUTE.errorType]: code };
  }
  return undefined;
}

function markFailed(span: Span, failure: Attributes): void {
  span.setAttributes(failure);
  span.setStatus({ code: SpanStatusCode.ERROR });
}

function endSpan(span: Span, endMs: number, failure?: Attributes): void {
  if (failure !== undefined) markFailed(span, failure);
  span.end(endMs);
}
