import type { Attributes, Meter } from '@opentelemetry/api';
import type { HealthReport, SystemPosture } from '../runtime/health.ts';
import { ATTRIBUTE, METRIC } from './names.ts';

/** Measurements of operations on the log; durations in seconds. */
export interface Instruments {
  operated(seconds: number, attributes: Attributes): void;
  sent(messages: number, attributes: Attributes): void;
  consumed(messages: number, attributes: Attributes): void;
  processed(seconds: number, attributes: Attributes): void;
}

/** Seconds, as the conventions advise. */
const BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];

export function makeInstruments(meter: Meter): Instruments {
  const seconds = (name: string, description: string) =>
    meter.createHistogram(name, { unit: 's', description, advice: { explicitBucketBoundaries: BUCKETS } });
  const messages = (name: string, description: string) => meter.createCounter(name, { unit: '{message}', description });
  const operationDuration = seconds(METRIC.operationDuration, 'Time of a poll that gave records, or of a commit');
  const processDuration = seconds(METRIC.processDuration, "Time of a batch's steps and their commit");
  const sent = messages(METRIC.sent, 'Records that a commit gave, or tried to');
  const consumed = messages(METRIC.consumed, 'Records read');
  return {
    operated: (value, attributes) => operationDuration.record(value, attributes),
    sent: (value, attributes) => sent.add(value, attributes),
    consumed: (value, attributes) => consumed.add(value, attributes),
    processed: (value, attributes) => processDuration.record(value, attributes),
  };
}

const POSTURE_VALUE: { readonly [posture in SystemPosture]: number } = { nominal: 0, degraded: 1, critical: 2 };

/** A worker's health, asked at every export. Its counters' names come from fixed lists. */
export function observeHealth(meter: Meter, report: () => HealthReport): void {
  const events = meter.createObservableCounter(METRIC.events, {
    unit: '{event}',
    description: "The worker's counters, by name, as status shows them",
  });
  const posture = meter.createObservableGauge(METRIC.posture, {
    description: '0 nominal, 1 degraded, 2 critical',
  });
  meter.addBatchObservableCallback(
    (observer) => {
      const { posture: now, counters } = report();
      observer.observe(posture, POSTURE_VALUE[now]);
      for (const [name, value] of Object.entries(counters))
        observer.observe(events, value, { [ATTRIBUTE.event]: name });
    },
    [events, posture],
  );
}
