import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openLog, topics } from '../../../src/cli/open-log.ts';
import { partitionOf } from '../../../src/log/partitioner.ts';
import type { LogRecord } from '../../../src/log/port.ts';
import { type RunningProcessor, scratchDirectory, startProcessor, until } from '../../support/cli.ts';
import { type OtlpReceiver, type ReceivedSpan, startOtlpReceiver } from '../../support/otlp-receiver.ts';
import { recordsOf } from '../../support/rescore.ts';

const SENDER = 'b7ad6b7169203331';
const traceId = (digit: string): string => digit.repeat(32);
const traceparent = (digit: string, flags = '01'): string => `00-${traceId(digit)}-${SENDER}-${flags}`;
const CLIENT = 3;
const PRODUCER = 4;
const CONSUMER = 5;

const deal = (id: string, version = 1): string =>
  JSON.stringify({
    event_id: `e-${id}-${version}`,
    entity: 'deal',
    id,
    account_id: 'A-secret-account',
    version: String(version),
    changed_at: new Date().toISOString(),
    op: 'upsert',
    fields: { stage: 'proposal', owner: 'jane.secret@example.com', amount: 48_151_623, discount_pct: 45 },
  });

const post = (processor: RunningProcessor, body: string, trace: string) =>
  fetch(`${processor.url}/v1/changes`, {
    method: 'POST',
    body,
    headers: {
      'content-type': body.includes('\n') ? 'application/x-ndjson' : 'application/json',
      traceparent: trace,
    },
  });

const recordsOn = async (path: string, topic: string): Promise<readonly LogRecord[]> => {
  const log = openLog(path);
  try {
    return (await recordsOf(log, topic)).flat();
  } finally {
    await log.close();
  }
};

const inTrace = (records: readonly LogRecord[], digit: string): readonly LogRecord[] =>
  records.filter(({ headers }) => headers.traceparent?.includes(traceId(digit)));

describe('telemetry of a running processor', () => {
  const scratch = scratchDirectory();
  let receiver: OtlpReceiver;
  let results: readonly LogRecord[];
  let images: readonly LogRecord[];
  let output: string;

  beforeAll(async () => {
    receiver = await startOtlpReceiver();
    const processor = await startProcessor(scratch.path, ['--threads', '2'], {
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
      OTEL_BSP_SCHEDULE_DELAY: '200',
      OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=test',
    });
    const scored = (digit: string, count: number) =>
      until(`results of trace ${digit}`, async () => {
        return inTrace(await recordsOn(scratch.path, topics.results), digit).length >= count;
      });
    expect((await post(processor, deal('T-secret-1'), traceparent('a'))).status).toBe(202);
    await scored('a', 2);
    const many = Array.from({ length: 40 }, (_, index) => deal(`T-secret-many-${index}`)).join('\n');
    expect((await post(processor, many, traceparent('b'))).status).toBe(202);
    await scored('b', 80);
    expect((await post(processor, deal('T-secret-2'), traceparent('c', '00'))).status).toBe(202);
    await scored('c', 2);
    const log = openLog(scratch.path);
    const key = 'T-secret-broken';
    const partition = partitionOf(key, log.partitionsOf(topics.dealChanges));
    const headers = { traceparent: traceparent('d') };
    await log.append([{ topic: topics.dealChanges, partition, key, value: Buffer.from('{"secret'), headers }]);
    await log.close();
    await until('the dead letter', async () => (await recordsOn(scratch.path, topics.deadLetters)).length === 1);
    // Traces come while it runs; measurements, once a minute, come at the stop.
    await until('a span', async () => receiver.spans.length > 0);
    processor.child.kill('SIGTERM');
    expect(await processor.ended).toBe(0);
    output = processor.output();
    results = await recordsOn(scratch.path, topics.results);
    images = await recordsOn(scratch.path, topics.images);
  });
  afterAll(async () => {
    await receiver.close();
    scratch.remove();
  });

  const spansIn = (digit: string): readonly ReceivedSpan[] =>
    receiver.spans.filter((span) => span.traceId === traceId(digit));
  const named = (spans: readonly ReceivedSpan[], name: string): readonly ReceivedSpan[] =>
    spans.filter((span) => span.name === name);
  const one = <T>(items: readonly T[]): T => {
    expect(items).toHaveLength(1);
    return items[0] as T;
  };

  test('one trace leads from the sender of a change through both stages to its results', () => {
    const ingest = one(named(spansIn('a'), 'process crm.deal-changes'));
    const score = one(named(spansIn('a'), 'process plumbline.images'));
    expect(ingest).toMatchObject({ kind: CONSUMER, parentSpanId: SENDER, isError: false });
    expect(score).toMatchObject({ kind: CONSUMER, parentSpanId: ingest.spanId, isError: false });
    expect(ingest.attributes).toEqual({
      'messaging.system': 'plumbline',
      'messaging.operation.name': 'process',
      'messaging.operation.type': 'process',
      'messaging.destination.name': 'crm.deal-changes',
      'messaging.destination.partition.id': String(partitionOf('T-secret-1', 4)),
      'messaging.consumer.group.name': 'plumbline-ingest',
      'plumbline.log.offset': 0,
    });
    expect(inTrace(images, 'a').map(({ headers }) => headers.traceparent)).toEqual([
      `00-${traceId('a')}-${ingest.spanId}-01`,
    ]);
    const parents = inTrace(results, 'a').map(({ headers }) => headers.traceparent);
    expect(parents.length).toBeGreaterThanOrEqual(2);
    expect(new Set(parents)).toEqual(new Set([`00-${traceId('a')}-${score.spanId}-01`]));
  });

  test('what a commit gave is sent in the span of what it took', () => {
    const ingest = one(named(spansIn('a'), 'process crm.deal-changes'));
    const score = one(named(spansIn('a'), 'process plumbline.images'));
    expect(one(named(spansIn('a'), 'send plumbline.images'))).toMatchObject({
      kind: PRODUCER,
      parentSpanId: ingest.spanId,
      attributes: {
        'messaging.operation.name': 'send',
        'messaging.operation.type': 'send',
        'messaging.destination.name': 'plumbline.images',
        'messaging.batch.message_count': 1,
      },
    });
    const sent = one(named(spansIn('a'), 'send plumbline.scored-results'));
    expect(sent).toMatchObject({ kind: PRODUCER, parentSpanId: score.spanId });
    expect(sent.attributes['messaging.batch.message_count']).toBe(inTrace(results, 'a').length);
    expect(score.durationNs).toBeGreaterThanOrEqual(sent.durationNs);
    expect(sent.durationNs).toBeGreaterThan(0n);
  });

  test('a poll is a client span that links to what it read', () => {
    const polls = named(receiver.spans, 'poll crm.deal-changes').filter(({ links }) =>
      links.some((link) => link.traceId === traceId('a')),
    );
    const poll = one(polls);
    expect(poll).toMatchObject({ kind: CLIENT, parentSpanId: '', links: [{ spanId: SENDER }] });
    expect(poll.attributes).toMatchObject({
      'messaging.operation.name': 'poll',
      'messaging.operation.type': 'receive',
      'messaging.batch.message_count': 1,
    });
    expect(one(named(spansIn('a'), 'process crm.deal-changes')).links).toEqual([
      { traceId: poll.traceId, spanId: poll.spanId },
    ]);
  });

  test('in a batch each record in a sampled trace has a span there, linked to that of the batch', () => {
    const each = named(spansIn('b'), 'process crm.deal-changes');
    expect(each).toHaveLength(40);
    expect(new Set(each.map(({ parentSpanId }) => parentSpanId))).toEqual(new Set([SENDER]));
    const batches = named(receiver.spans, 'process crm.deal-changes').filter(
      (span) => Number(span.attributes['messaging.batch.message_count']) > 1,
    );
    expect(batches.length).toBeGreaterThan(0);
    for (const batch of batches) {
      const count = Number(batch.attributes['messaging.batch.message_count']);
      expect(batch.links).toHaveLength(count);
      expect(batch.traceId).not.toBe(traceId('b'));
      expect(each.filter(({ links }) => links.some(({ spanId }) => spanId === batch.spanId))).toHaveLength(count);
    }
    const spanIds = new Set(named(spansIn('b'), 'process plumbline.images').map(({ spanId }) => spanId));
    expect(spanIds.size).toBe(40);
    for (const { headers } of inTrace(results, 'b')) expect(spanIds).toContain(headers.traceparent?.split('-')[2]);
  });

  test('a trace that its sender does not record goes on as it came', () => {
    expect(spansIn('c')).toEqual([]);
    for (const records of [images, results]) {
      const parents = inTrace(records, 'c').map(({ headers }) => headers.traceparent);
      expect(parents.length).toBeGreaterThan(0);
      expect(new Set(parents)).toEqual(new Set([traceparent('c', '00')]));
    }
  });

  test('a dead letter is an error of its span, by code', async () => {
    const failed = one(named(spansIn('d'), 'process crm.deal-changes'));
    expect(failed).toMatchObject({ isError: true, attributes: { 'error.type': 'PLB-CHANGE-JSON' } });
    const [letter] = await recordsOn(scratch.path, topics.deadLetters);
    expect(letter?.headers.traceparent).toBe(`00-${traceId('d')}-${failed.spanId}-01`);
  });

  test('measurements come, of all threads, and the worker’s health with them', () => {
    const total = (metric: string, attribute: string, value: string): number => {
      const last = new Map<string, number>();
      for (const point of receiver.points)
        if (point.metric === metric && point.attributes[attribute] === value)
          last.set(JSON.stringify(point.attributes), point.value);
      return [...last.values()].reduce((sum, one) => sum + one, 0);
    };
    const topic = 'messaging.destination.name';
    expect(total('messaging.client.consumed.messages', topic, topics.dealChanges)).toBe(43);
    expect(total('messaging.client.sent.messages', topic, topics.results)).toBe(results.length);
    expect(total('messaging.client.sent.messages', topic, topics.deadLetters)).toBe(1);
    for (const operation of ['poll', 'send'])
      expect(total('messaging.client.operation.duration', 'messaging.operation.name', operation)).toBeGreaterThan(0);
    expect(total('messaging.process.duration', topic, topics.images)).toBeGreaterThan(0);
    expect(total('plumbline.worker.events', 'plumbline.event', 'ingest.records')).toBe(43);
    expect(receiver.points.filter(({ metric }) => metric === 'plumbline.worker.posture').at(-1)?.value).toBe(0);
    expect(new Set(receiver.points.map(({ attributes }) => attributes['thread.id']))).toEqual(
      new Set([0, 1, undefined]),
    );
    expect(receiver.points.find(({ metric }) => metric === 'messaging.process.duration')?.unit).toBe('s');
  });

  test('they name the service and one process, and nothing that a record holds', () => {
    for (const resource of receiver.resources)
      expect(resource).toMatchObject({ 'service.name': 'plumbline', 'deployment.environment.name': 'test' });
    expect(new Set(receiver.resources.map((resource) => resource['service.instance.id'])).size).toBe(1);
    expect(receiver.text()).not.toMatch(/secret|48151623/);
    expect(output).not.toMatch(/otlp|opentelemetry|export/i);
  });
});

describe('without a collector', () => {
  test.each([
    ['that is not there', async () => ({ url: 'http://127.0.0.1:9', close: async () => {} })],
    ['that never answers', () => startOtlpReceiver(true)],
  ])('one %s, the work goes on in silence and ends in time', async (_, open) => {
    const scratch = scratchDirectory();
    const collector = await open();
    const processor = await startProcessor(scratch.path, ['--threads', '1'], {
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      OTEL_EXPORTER_OTLP_TIMEOUT: '1500',
      OTEL_BSP_SCHEDULE_DELAY: '50',
      OTEL_BSP_MAX_QUEUE_SIZE: '20',
      OTEL_METRIC_EXPORT_INTERVAL: '200',
    });
    const many = Array.from({ length: 200 }, (_, index) => deal(`D${index}`)).join('\n');
    expect((await post(processor, many, traceparent('a'))).status).toBe(202);
    const counters = async () =>
      ((await (await fetch(`${processor.url}/v1/status`)).json()) as { counters: { [name: string]: number } }).counters;
    await until('a failed export is counted', async () => ((await counters())['telemetry.exports_failed'] ?? 0) > 0);
    expect(inTrace(await recordsOn(scratch.path, topics.images), 'a')).toHaveLength(200);
    expect(inTrace(await recordsOn(scratch.path, topics.results), 'a').length).toBeGreaterThanOrEqual(400);
    expect((await (await fetch(`${processor.url}/v1/status`)).json()) as object).toMatchObject({ posture: 'nominal' });
    const stopping = Date.now();
    processor.child.kill('SIGTERM');
    expect(await processor.ended).toBe(0);
    expect(Date.now() - stopping).toBeLessThan(8_000);
    expect(processor.output()).not.toMatch(/otlp|opentelemetry|ECONNREFUSED|"level":(40|50|60)/i);
    await collector.close();
    scratch.remove();
  });
});
