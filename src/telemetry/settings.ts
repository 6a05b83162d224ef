import { PlumblineError } from '../errors.ts';

/** What OpenTelemetry's own variables ask for. Address, headers, time limit and certificates are read by its exporters. */
export interface TelemetrySettings {
  readonly hasTraces: boolean;
  readonly hasMetrics: boolean;
  readonly sampler: SamplerSettings;
  /** Spans that wait; more are dropped. */
  readonly maxQueueSize: number;
  readonly maxExportBatchSize: number;
  readonly traceDelayMs: number;
  readonly metricIntervalMs: number;
}

export interface SamplerSettings {
  /** Of traces that begin here. */
  readonly ratio: number;
  /** Whoever began a trace elsewhere has decided about it. */
  readonly isParentBased: boolean;
}

const ENDPOINT = 'OTEL_EXPORTER_OTLP_ENDPOINT';
const TRACES_ENDPOINT = 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT';
const METRICS_ENDPOINT = 'OTEL_EXPORTER_OTLP_METRICS_ENDPOINT';
/** So much waits at most, whatever is asked for. */
const MAX_QUEUE_SIZE = 65_536;
const MAX_INTERVAL_MS = 3_600_000;

/**
 * null where telemetry is not configured, or is turned off.
 * @throws PlumblineError PLB-CLI-SETTING
 */
export function readTelemetrySettings(env: NodeJS.ProcessEnv): TelemetrySettings | null {
  const has = (endpoint: string, exporter: string): boolean =>
    [env[endpoint], env[ENDPOINT]].some((url) => isSet(url)) && exporterOf(env, exporter) === 'otlp';
  if (env.OTEL_SDK_DISABLED?.trim().toLowerCase() === 'true') return null;
  const hasTraces = has(TRACES_ENDPOINT, 'OTEL_TRACES_EXPORTER');
  const hasMetrics = has(METRICS_ENDPOINT, 'OTEL_METRICS_EXPORTER');
  if (!hasTraces && !hasMetrics) return null;
  for (const name of [ENDPOINT, TRACES_ENDPOINT, METRICS_ENDPOINT]) requireUrl(name, env[name]);
  requireHttp(env);
  const maxQueueSize = count(env, 'OTEL_BSP_MAX_QUEUE_SIZE', 2_048, MAX_QUEUE_SIZE);
  return {
    hasTraces,
    hasMetrics,
    sampler: samplerOf(env),
    maxQueueSize,
    maxExportBatchSize: Math.min(maxQueueSize, count(env, 'OTEL_BSP_MAX_EXPORT_BATCH_SIZE', 512, MAX_QUEUE_SIZE)),
    traceDelayMs: count(env, 'OTEL_BSP_SCHEDULE_DELAY', 5_000, MAX_INTERVAL_MS),
    metricIntervalMs: count(env, 'OTEL_METRIC_EXPORT_INTERVAL', 60_000, MAX_INTERVAL_MS),
  };
}

const isSet = (text: string | undefined): text is string => text !== undefined && text.trim() !== '';

function exporterOf(env: NodeJS.ProcessEnv, name: string): 'otlp' | 'none' {
  const text = isSet(env[name]) ? env[name].trim() : 'otlp';
  if (text === 'otlp' || text === 'none') return text;
  throw wrong(name, text, 'expected otlp or none');
}

function requireUrl(name: string, text: string | undefined): void {
  if (isSet(text) && !/^https?:$/.test(URL.parse(text)?.protocol ?? ''))
    throw wrong(name, text, 'expected an address such as http://localhost:4318');
}

/** JSON over HTTP is sent, which a receiver of OTLP over HTTP takes as it takes protobuf; gRPC is another port. */
function requireHttp(env: NodeJS.ProcessEnv): void {
  for (const name of ['', 'TRACES_', 'METRICS_'].map((signal) => `OTEL_EXPORTER_OTLP_${signal}PROTOCOL`)) {
    const text = env[name];
    if (isSet(text) && !['http/json', 'http/protobuf'].includes(text.trim()))
      throw wrong(name, text, 'expected http/json, and the receiver’s HTTP port, which is often 4318');
  }
}

function samplerOf(env: NodeJS.ProcessEnv): SamplerSettings {
  const name = 'OTEL_TRACES_SAMPLER';
  const text = isSet(env[name]) ? env[name].trim() : 'parentbased_always_on';
  const match = /^(parentbased_)?(always_on|always_off|traceidratio)$/.exec(text);
  if (match === null)
    throw wrong(name, text, 'expected always_on, always_off or traceidratio, or one of them after parentbased_');
  const ratio = match[2] === 'always_on' ? 1 : match[2] === 'always_off' ? 0 : ratioOf(env);
  return { ratio, isParentBased: match[1] !== undefined };
}

function ratioOf(env: NodeJS.ProcessEnv): number {
  const name = 'OTEL_TRACES_SAMPLER_ARG';
  const text = isSet(env[name]) ? env[name] : '1';
  const ratio = Number(text);
  if (!(ratio >= 0 && ratio <= 1)) throw wrong(name, text, 'expected a number from 0 to 1');
  return ratio;
}

function count(env: NodeJS.ProcessEnv, name: string, otherwise: number, max: number): number {
  const text = env[name];
  if (!isSet(text)) return otherwise;
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1 || number > max)
    throw wrong(name, text, `expected a whole number from 1 to ${max}`);
  return number;
}

/** What was set is told in part: addresses can hold a password. */
const wrong = (name: string, text: string, hint: string): PlumblineError =>
  new PlumblineError('PLB-CLI-SETTING', `${name} is \`${text.includes('@') ? '…' : text.slice(0, 40)}\``, { hint });
