import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A span as OTLP's JSON has it, attributes by name. */
export interface ReceivedSpan {
  readonly name: string;
  /** 3 client, 4 producer, 5 consumer. */
  readonly kind: number;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly links: readonly { readonly traceId: string; readonly spanId: string }[];
  readonly attributes: { readonly [name: string]: unknown };
  readonly isError: boolean;
  readonly durationNs: bigint;
}

export interface ReceivedPoint {
  readonly metric: string;
  readonly unit: string;
  /** A counter's or gauge's value, or a histogram's count. */
  readonly value: number;
  readonly attributes: { readonly [name: string]: unknown };
}

export interface OtlpReceiver {
  readonly url: string;
  readonly spans: readonly ReceivedSpan[];
  /** The last export's of each thread and metric come last. */
  readonly points: readonly ReceivedPoint[];
  /** Attributes of the resources that were named. */
  readonly resources: readonly { readonly [name: string]: unknown }[];
  /** All that came, as text. */
  text(): string;
  close(): Promise<void>;
}

/** A receiver of OTLP over HTTP in JSON. @param isHanging it takes requests and never answers */
export async function startOtlpReceiver(isHanging = false): Promise<OtlpReceiver> {
  const spans: ReceivedSpan[] = [];
  const points: ReceivedPoint[] = [];
  const resources: { [name: string]: unknown }[] = [];
  const bodies: string[] = [];
  const server = createServer((request, response) => {
    if (isHanging) return;
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const text = Buffer.concat(chunks).toString('utf8');
      bodies.push(text);
      const body = JSON.parse(text) as Json;
      for (const { resource } of [...listOf(body.resourceSpans), ...listOf(body.resourceMetrics)])
        resources.push(attributesOf((resource as Json).attributes));
      spans.push(...spansIn(body));
      points.push(...pointsIn(body));
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    spans,
    points,
    resources,
    text: () => bodies.join('\n'),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

type Json = { readonly [name: string]: unknown };
const listOf = (value: unknown): readonly Json[] => (Array.isArray(value) ? value : []);

function attributesOf(value: unknown): { [name: string]: unknown } {
  return Object.fromEntries(
    listOf(value).map(({ key, value: held }) => {
      const [type, content] = Object.entries(held as Json)[0] ?? [];
      return [String(key), type === 'intValue' ? Number(content) : content];
    }),
  );
}

const spansIn = (body: Json): readonly ReceivedSpan[] =>
  listOf(body.resourceSpans)
    .flatMap(({ scopeSpans }) => listOf(scopeSpans))
    .flatMap(({ spans }) => listOf(spans))
    .map((span) => ({
      name: String(span.name),
      kind: Number(span.kind),
      traceId: String(span.traceId),
      spanId: String(span.spanId),
      parentSpanId: String(span.parentSpanId ?? ''),
      links: listOf(span.links).map(({ traceId, spanId }) => ({ traceId: String(traceId), spanId: String(spanId) })),
      attributes: attributesOf(span.attributes),
      isError: (span.status as Json).code === 2,
      durationNs: BigInt(String(span.endTimeUnixNano)) - BigInt(String(span.startTimeUnixNano)),
    }));

const pointsIn = (body: Json): readonly ReceivedPoint[] =>
  listOf(body.resourceMetrics)
    .flatMap(({ scopeMetrics }) => listOf(scopeMetrics))
    .flatMap(({ metrics }) => listOf(metrics))
    .flatMap((metric) =>
      [metric.sum, metric.gauge, metric.histogram].flatMap((data) =>
        listOf((data as Json | undefined)?.dataPoints).map((point) => ({
          metric: String(metric.name),
          unit: String(metric.unit ?? ''),
          value: Number(point.asDouble ?? point.asInt ?? point.count),
          attributes: attributesOf(point.attributes),
        })),
      ),
    );
