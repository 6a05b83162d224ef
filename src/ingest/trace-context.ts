import type { Headers } from '../log/port.ts';

/**
 * W3C trace context in record headers: it goes from a change to its image, and on to results and posture changes. It is
 * never part of a value. What is malformed or too large is left behind; nothing is added where there was none.
 */
const PARENT = 'traceparent';
const STATE = 'tracestate';

/** Version 00, or a later one of the same form; ids of zeros alone are not valid. */
const TRACE_PARENT = /^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})$/;
/** What the standard asks to carry at least; more is left behind, and the trace goes on without it. */
const MAX_STATE_LENGTH = 512;
const PRINTABLE = /^[\x20-\x7e]+$/;

export type TraceHeaders = Headers;

/** The one value for none. */
export const NO_TRACE: TraceHeaders = {};

/** Of a record's headers, or a request's: those of its trace, or none. */
export function traceHeaders(headers: {
  readonly [name: string]: string | readonly string[] | undefined;
}): TraceHeaders {
  const parent = headers[PARENT];
  if (typeof parent !== 'string' || !TRACE_PARENT.test(parent)) return NO_TRACE;
  const state = headers[STATE];
  return typeof state === 'string' && state.length <= MAX_STATE_LENGTH && PRINTABLE.test(state)
    ? { [PARENT]: parent, [STATE]: state }
    : { [PARENT]: parent };
}

/** What a traceparent names. */
export interface TraceParent {
  /** 32 hex digits. */
  readonly traceId: string;
  /** 16 hex digits. */
  readonly spanId: string;
  readonly isSampled: boolean;
}

/** null where there is none, or it is malformed. */
export function traceParentOf(headers: Headers): TraceParent | null {
  const match = TRACE_PARENT.exec(headers[PARENT] ?? '');
  const [, traceId, spanId, flags] = match ?? [];
  if (traceId === undefined || spanId === undefined || flags === undefined) return null;
  return { traceId, spanId, isSampled: (Number.parseInt(flags, 16) & 1) === 1 };
}

/** The same trace, with a span in it as the parent of what comes. */
export const withTraceParent = (headers: Headers, { traceId, spanId, isSampled }: TraceParent): Headers => ({
  ...headers,
  [PARENT]: `00-${traceId}-${spanId}-${isSampled ? '01' : '00'}`,
});

/** A record in the trace of what it was made of; the very same where there is none. */
export const inTrace = <T extends { readonly headers: Headers }>(record: T, trace: TraceHeaders): T =>
  trace === NO_TRACE ? record : { ...record, headers: { ...record.headers, ...trace } };
