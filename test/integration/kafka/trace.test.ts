import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { changeRecord } from '../../../producers/changes.ts';
import { groupName } from '../../../src/log/place.ts';
import { activateSets } from '../../../src/runtime/activate-sets.ts';
import { followControl } from '../../../src/runtime/control.ts';
import { makeTracer } from '../../../src/telemetry/tracer.ts';
import { scratchDirectory, until } from '../../support/cli.ts';
import { openTestCluster, reasonWithoutKafka, type TestCluster } from '../../support/kafka.ts';
import { installOn } from '../../support/kafka-installation.ts';
import { recordsOf } from '../../support/rescore.ts';
import { compile, shippedSets, workOn } from '../../support/test-worker.ts';

const reason = reasonWithoutKafka();
const SENDER = 'b7ad6b7169203331';
const TRACE = 'a'.repeat(32);
const NOT_MEASURED = () => {};

describe.skipIf(reason !== null)(`a trace through Kafka${reason === null ? '' : `: ${reason}`}`, () => {
  const scratch = scratchDirectory();
  let cluster: TestCluster;
  beforeAll(async () => {
    cluster = await openTestCluster();
  }, 300_000);
  afterAll(async () => {
    await cluster.stop();
    scratch.remove();
  });

  it('leads from a change to its results, whose parent is the span that scored them', async () => {
    const { topics, open, prefix } = await installOn(cluster.brokers, scratch.path, 1);
    const log = await open();
    await activateSets(log, topics, await followControl(log, topics, compile), shippedSets(), { at: 0, by: 'test' });
    const exporter = new InMemorySpanExporter();
    const provider = new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] });
    const tracer = makeTracer({
      tracer: provider.getTracer('test'),
      instruments: { operated: NOT_MEASURED, sent: NOT_MEASURED, consumed: NOT_MEASURED, processed: NOT_MEASURED },
      system: 'kafka',
      groupOf: (input) => groupName(prefix, input),
      attributes: {},
    });
    const worker = await workOn(log, topics, { tracer });
    const change = {
      event_id: 'e1',
      entity: 'deal',
      id: 'D1',
      version: '1',
      changed_at: '2026-03-01T00:00:00Z',
      op: 'upsert',
      fields: { stage: 'proposal', amount: 5 },
    };
    const record = changeRecord(topics, { entity: 'deal', id: 'D1' }, JSON.stringify(change), {
      kind: 'live',
      atMs: Date.now(),
    });
    const traceparent = `00-${TRACE}-${SENDER}-01`;
    await log.append([{ ...record, headers: { ...record.headers, traceparent, tracestate: 'a=1' } }]);
    await until('its results', async () => (await recordsOf(log, topics.results)).flat().length >= 2);
    await worker.stop(20_000);
    const results = (await recordsOf(log, topics.results)).flat();
    await log.close();

    const spans = exporter.getFinishedSpans().filter((span) => span.spanContext().traceId === TRACE);
    const [ingest] = spans.filter(({ name }) => name === `process ${topics.dealChanges}`);
    const [score] = spans.filter(({ name }) => name === `process ${topics.images}`);
    expect(ingest?.parentSpanContext?.spanId).toBe(SENDER);
    expect(score?.parentSpanContext?.spanId).toBe(ingest?.spanContext().spanId);
    expect(score?.attributes).toMatchObject({
      'messaging.system': 'kafka',
      'messaging.kafka.offset': 0,
      'messaging.consumer.group.name': `${prefix}plumbline-score`,
    });
    for (const { headers } of results)
      expect(headers).toMatchObject({
        traceparent: `00-${TRACE}-${score?.spanContext().spanId}-01`,
        tracestate: 'a=1',
      });
  });
});
