import { SpanKind } from '@opentelemetry/api';
import { InMemorySpanExporter, type ReadableSpan, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { beforeEach, describe, expect, it } from 'vitest';
import { PlumblineError } from '../../../src/errors.ts';
import type { Headers, LogRecord, NewRecord } from '../../../src/log/port.ts';
import type { Tracer } from '../../../src/runtime/tracer.ts';
import type { Instruments } from '../../../src/telemetry/instruments.ts';
import { makeTracer } from '../../../src/telemetry/tracer.ts';

const INPUT = { stage: 'score', topic: 'images', partition: 1 };
const parentOf = (index: number): string => `00-${'a'.repeat(32)}-${String(index + 1).padStart(16, '0')}-01`;
const record = (offset: number, headers: Headers = {}): LogRecord => ({
  topic: 'images',
  partition: 1,
  offset,
  key: 'A1',
  value: null,
  headers,
  timestampMs: 0,
});
const output = (topic: string): NewRecord => ({ topic, key: null, value: null, headers: {} });
const unavailable = new PlumblineError('PLB-LOG-UNAVAILABLE', 'not now', { retryable: true });

describe('spans of a task', () => {
  let exporter: InMemorySpanExporter;
  let tracer: Tracer;
  let measured: (readonly [name: string, value: number, error: unknown])[];

  beforeEach(() => {
    exporter = new InMemorySpanExporter();
    measured = [];
    const note =
      (name: string): Instruments['sent'] =>
      (value, attributes) =>
        void measured.push([name, value, attributes['error.type']]);
    tracer = makeTracer({
      tracer: new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] }).getTracer('test'),
      instruments: {
        operated: note('operated'),
        sent: note('sent'),
        consumed: note('consumed'),
        processed: note('processed'),
      },
      system: 'kafka',
      groupOf: ({ stage }) => `x-${stage}`,
      attributes: {},
    });
  });
  const spans = (name: string): readonly ReadableSpan[] =>
    exporter.getFinishedSpans().filter((span) => span.name === name);

  it('leaves none where there was nothing to do', () => {
    const trace = tracer.begin(INPUT);
    trace.polling();
    trace.end();
    tracer.begin(INPUT).end(unavailable);
    expect(exporter.getFinishedSpans()).toEqual([]);
    expect(measured).toEqual([]);
  });

  it('tells of a poll that failed', () => {
    const trace = tracer.begin(INPUT);
    trace.polling();
    trace.end(unavailable);
    expect(spans('poll images')).toMatchObject([
      { kind: SpanKind.CLIENT, status: { code: 2 }, attributes: { 'error.type': 'PLB-LOG-UNAVAILABLE' } },
    ]);
    expect(measured).toEqual([['operated', expect.any(Number), 'PLB-LOG-UNAVAILABLE']]);
  });

  it('has a send for every try of a commit', () => {
    const trace = tracer.begin(INPUT);
    trace.polling();
    trace.received([record(4, { traceparent: parentOf(0) })]);
    trace.take(record(4, { traceparent: parentOf(0) }));
    trace.taken([output('results')]);
    trace.sending([output('results'), output('postures'), output('results')])(unavailable);
    trace.sending([output('results')])();
    trace.end();
    expect(spans('send results').map(({ status, attributes }) => [status.code, attributes['error.type']])).toEqual([
      [2, 'PLB-LOG-UNAVAILABLE'],
      [0, undefined],
    ]);
    expect(spans('send postures')).toHaveLength(1);
    expect(measured.filter(([name]) => name === 'sent')).toEqual([
      ['sent', 2, 'PLB-LOG-UNAVAILABLE'],
      ['sent', 1, 'PLB-LOG-UNAVAILABLE'],
      ['sent', 1, undefined],
    ]);
    const [process] = spans('process images');
    expect(process?.attributes).toMatchObject({
      'messaging.kafka.offset': 4,
      'messaging.kafka.message.tombstone': true,
      'messaging.consumer.group.name': 'x-score',
    });
    expect(process?.attributes).not.toHaveProperty('messaging.kafka.message.key');
    expect(process?.status.code).toBe(0);
  });

  it('ends every span where the step or the commit fails', () => {
    const trace = tracer.begin(INPUT);
    const records = [record(0, { traceparent: parentOf(0) }), record(1)];
    trace.polling();
    trace.received(records);
    trace.take(record(0, { traceparent: parentOf(0) }));
    trace.end(new TypeError('with a value in it'));
    const failed = spans('process images');
    expect(failed).toHaveLength(2);
    for (const span of failed) {
      expect(span.status).toEqual({ code: 2 });
      expect(span.attributes['error.type']).toBe('TypeError');
      expect(JSON.stringify(span.attributes)).not.toContain('value in it');
    }
    expect(measured.filter(([name]) => name === 'processed')).toEqual([['processed', expect.any(Number), 'TypeError']]);
  });

  it('takes records in no trace, or none that is recorded, as they are', () => {
    const trace = tracer.begin(INPUT);
    const records = [record(0), record(1, { traceparent: parentOf(0).replace(/01$/, '00') })];
    trace.polling();
    trace.received(records);
    for (const one of records) {
      expect(trace.take(one)).toBe(one);
      trace.taken([]);
    }
    trace.end();
    expect(spans('process images')).toHaveLength(1);
    expect(spans('process images')[0]?.links).toEqual([]);
  });

  it('links at most 128 of a batch, and processes each in its trace', () => {
    const records = Array.from({ length: 200 }, (_, index) => record(index, { traceparent: parentOf(index) }));
    const trace = tracer.begin(INPUT);
    trace.polling();
    trace.received(records);
    const taken = records.map((one) => {
      const given = trace.take(one);
      trace.taken([output('results')]);
      return given;
    });
    trace.sending(records.map(() => output('results')))();
    trace.end();
    const [poll] = spans('poll images');
    const [send] = spans('send results');
    expect([poll?.links.length, send?.links.length]).toEqual([128, 128]);
    expect(poll?.droppedLinksCount).toBe(0);
    const each = spans('process images').filter((span) => span.spanContext().traceId === 'a'.repeat(32));
    expect(taken.map(({ headers }) => headers.traceparent)).toEqual(
      each.map((span) => `00-${'a'.repeat(32)}-${span.spanContext().spanId}-01`),
    );
    expect(taken).toHaveLength(200);
  });
});
