import { randomUUID } from 'node:crypto';
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-http';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { defaultResource, detectResources, envDetector, resourceFromAttributes } from '@opentelemetry/resources';
import { MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  BatchSpanProcessor,
  ParentBasedSampler,
  type Sampler,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import type { TaskInput } from '../log/port.ts';
import type { HealthReport } from '../runtime/health.ts';
import type { Tracer } from '../runtime/tracer.ts';
import { makeInstruments, observeHealth } from './instruments.ts';
import { ATTRIBUTE, type MessagingSystem } from './names.ts';
import type { SamplerSettings, TelemetrySettings } from './settings.ts';
import { makeTracer } from './tracer.ts';

export interface TelemetryOptions {
  readonly system: MessagingSystem;
  readonly groupOf: (input: TaskInput) => string;
  /** The same for all threads of a process. */
  readonly instance?: string;
  /** Tells the measurements of a process's threads apart. */
  readonly thread?: number;
  /** An export failed; nothing else is said of it. */
  readonly onFailure: () => void;
}

export interface Telemetry {
  readonly tracer: Tracer;
  /** Exports a worker's health with every export of metrics. */
  observe(report: () => HealthReport): void;
  /** Exports what is left, at most so long. Never throws. */
  close(deadlineMs: number): Promise<void>;
}

const SERVICE = 'plumbline';

/** Starts OpenTelemetry's SDK for this thread. Nothing global is set: no other module is touched. */
export function startTelemetry(settings: TelemetrySettings, options: TelemetryOptions): Telemetry {
  const { system, groupOf, thread, onFailure } = options;
  // What the environment says of the resource comes last, and counts.
  const resource = defaultResource()
    .merge(resourceFromAttributes({ 'service.name': SERVICE, 'service.instance.id': options.instance ?? randomUUID() }))
    .merge(detectResources({ detectors: [envDetector] }));
  const { maxQueueSize, maxExportBatchSize, traceDelayMs, metricIntervalMs } = settings;
  const tracers = new TracerProvider({
    resource,
    sampler: samplerOf(settings.sampler),
    spanProcessors: settings.hasTraces
      ? [
          new BatchSpanProcessor({
            exporter: counting(new OTLPTraceExporter(), onFailure),
            maxQueueSize,
            maxExportBatchSize,
            scheduledDelayMillis: traceDelayMs,
          }),
        ]
      : [],
  });
  const meters = new MeterProvider({
    resource,
    readers: settings.hasMetrics
      ? [
          new PeriodicExportingMetricReader({
            exporter: counting(new OTLPMetricExporter(), onFailure),
            exportIntervalMillis: metricIntervalMs,
          }),
        ]
      : [],
  });
  const meter = meters.getMeter(SERVICE);
  return {
    tracer: makeTracer({
      tracer: tracers.getTracer(SERVICE),
      instruments: makeInstruments(meter),
      system,
      groupOf,
      attributes: thread === undefined ? {} : { [ATTRIBUTE.thread]: thread },
    }),
    observe: (report) => observeHealth(meter, report),
    async close(deadlineMs) {
      let late: NodeJS.Timeout | undefined;
      const deadline = new Promise<void>((resolve) => {
        late = setTimeout(resolve, deadlineMs);
      });
      await Promise.race([Promise.allSettled([tracers.shutdown(), meters.shutdown()]), deadline]);
      clearTimeout(late);
    },
  };
}

function samplerOf({ ratio, isParentBased }: SamplerSettings): Sampler {
  const root =
    ratio === 1 ? new AlwaysOnSampler() : ratio === 0 ? new AlwaysOffSampler() : new TraceIdRatioBasedSampler(ratio);
  return isParentBased ? new ParentBasedSampler({ root }) : root;
}

interface Exporter<T> {
  export(items: T, done: (result: { code: number }) => void): void;
}

/** Counts exports that failed: the SDK itself says nothing of them to anybody. */
function counting<T, E extends Exporter<T>>(exporter: E, onFailure: () => void): E {
  const send = exporter.export.bind(exporter);
  exporter.export = (items, done) =>
    send(items, (result) => {
      if (result.code !== 0) onFailure();
      done(result);
    });
  return exporter;
}
