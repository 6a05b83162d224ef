import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { readTelemetrySettings } from '../../../src/telemetry/settings.ts';
import { ROOT } from '../../support/cli.ts';

const ENDPOINT = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://localhost:4318' };

describe('settings of telemetry', () => {
  it.each([
    ['nothing is set', {}],
    ['the address is empty', { OTEL_EXPORTER_OTLP_ENDPOINT: '' }],
    ['it is turned off', { ...ENDPOINT, OTEL_SDK_DISABLED: 'true' }],
    ['both exporters are none', { ...ENDPOINT, OTEL_TRACES_EXPORTER: 'none', OTEL_METRICS_EXPORTER: 'none' }],
  ])('are none where %s', (_, env) => {
    expect(readTelemetrySettings(env)).toBeNull();
  });

  it('have defaults, and each signal can be alone', () => {
    expect(readTelemetrySettings(ENDPOINT)).toEqual({
      hasTraces: true,
      hasMetrics: true,
      sampler: { ratio: 1, isParentBased: true },
      maxQueueSize: 2_048,
      maxExportBatchSize: 512,
      traceDelayMs: 5_000,
      metricIntervalMs: 60_000,
    });
    const traces = readTelemetrySettings({ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'https://c.example/v1/traces' });
    expect(traces).toMatchObject({ hasTraces: true, hasMetrics: false });
    expect(readTelemetrySettings({ ...ENDPOINT, OTEL_TRACES_EXPORTER: 'none' })).toMatchObject({ hasTraces: false });
  });

  it.each([
    ['always_off', { ratio: 0, isParentBased: false }],
    ['parentbased_always_off', { ratio: 0, isParentBased: true }],
    ['parentbased_traceidratio', { ratio: 0.25, isParentBased: true }],
  ])('take the sampler %s', (name, sampler) => {
    const env = { ...ENDPOINT, OTEL_TRACES_SAMPLER: name, OTEL_TRACES_SAMPLER_ARG: '0.25' };
    expect(readTelemetrySettings(env)?.sampler).toEqual(sampler);
  });

  it.each([
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'localhost:4318'],
    ['OTEL_EXPORTER_OTLP_PROTOCOL', 'grpc'],
    ['OTEL_EXPORTER_OTLP_TRACES_PROTOCOL', 'grpc'],
    ['OTEL_TRACES_EXPORTER', 'zipkin'],
    ['OTEL_TRACES_SAMPLER', 'sometimes'],
    ['OTEL_BSP_MAX_QUEUE_SIZE', '0'],
    ['OTEL_BSP_MAX_QUEUE_SIZE', '1000000000'],
    ['OTEL_METRIC_EXPORT_INTERVAL', 'soon'],
  ])('refuse %s=%s', (name, text) => {
    expect(() => readTelemetrySettings({ ...ENDPOINT, [name]: text })).toThrow(
      expect.objectContaining({ code: 'PLB-CLI-SETTING', message: expect.stringContaining(name) }),
    );
  });

  it('never tell a password', () => {
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: 'ftp://me:hunter2@host' };
    expect(() => readTelemetrySettings(env)).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining('hunter2') }),
    );
  });
});

const PROBE = `
  import { registerHooks } from 'node:module';
  const seen = [];
  registerHooks({
    resolve(specifier, context, next) {
      if (specifier.startsWith('@opentelemetry/')) seen.push(specifier);
      return next(specifier, context);
    },
  });
  await import('./src/cli/processor.ts');
  const { openTelemetry } = await import('./src/cli/telemetry.ts');
  const options = { system: 'kafka', groupOf: () => '', onFailure: () => {} };
  const none = await openTelemetry({}, options);
  const before = seen.length;
  const some = await openTelemetry({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9' }, options);
  console.log(JSON.stringify([none === null, before, some !== null, seen.length > 0]));
  process.exit();
`;

it('loads nothing of OpenTelemetry until it is configured', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', PROBE], {
    cwd: ROOT,
    timeout: 15_000,
  });
  expect(JSON.parse(stdout)).toEqual([true, 0, true, true]);
});
