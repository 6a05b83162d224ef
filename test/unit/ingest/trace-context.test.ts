import { describe, expect, it } from 'vitest';
import { inTrace, NO_TRACE, traceHeaders, traceParentOf, withTraceParent } from '../../../src/ingest/trace-context.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const SPAN = 'b7ad6b7169203331';
const PARENT = `00-${TRACE}-${SPAN}-01`;

describe('trace context in headers', () => {
  it('takes the two headers of the standard and no other', () => {
    expect(traceHeaders({ traceparent: PARENT, tracestate: 'a=1,b=2', other: 'x' })).toEqual({
      traceparent: PARENT,
      tracestate: 'a=1,b=2',
    });
    expect(traceHeaders({ traceparent: PARENT })).toEqual({ traceparent: PARENT });
  });

  it.each([
    ['no header', undefined],
    ['an empty one', ''],
    ['version ff', `ff-${TRACE}-${SPAN}-01`],
    ['capitals', PARENT.toUpperCase()],
    ['a trace of zeros', `00-${'0'.repeat(32)}-${SPAN}-01`],
    ['a span of zeros', `00-${TRACE}-${'0'.repeat(16)}-01`],
    ['something after it', `${PARENT}-x`],
    ['a line after it', `${PARENT}\n`],
  ])('leaves %s behind', (_, traceparent) => {
    const headers = { tracestate: 'a=1', ...(traceparent === undefined ? {} : { traceparent }) };
    expect(traceHeaders(headers)).toBe(NO_TRACE);
    expect(traceParentOf(headers)).toBeNull();
  });

  it.each([
    ['too long', 'a'.repeat(513)],
    ['not printable', 'a=\u00e9'],
    ['empty', ''],
  ])('goes on without a tracestate that is %s', (_, tracestate) => {
    expect(traceHeaders({ traceparent: PARENT, tracestate })).toEqual({ traceparent: PARENT });
  });

  it('reads what a traceparent names, and puts a span in its place', () => {
    expect(traceParentOf({ traceparent: PARENT })).toEqual({ traceId: TRACE, spanId: SPAN, isSampled: true });
    expect(traceParentOf({ traceparent: `00-${TRACE}-${SPAN}-02` })?.isSampled).toBe(false);
    const spanId = '00f067aa0ba902b7';
    expect(withTraceParent({ a: '1', traceparent: PARENT }, { traceId: TRACE, spanId, isSampled: true })).toEqual({
      a: '1',
      traceparent: `00-${TRACE}-${spanId}-01`,
    });
  });

  it('adds nothing to a record where there is no trace', () => {
    const record = { headers: { a: '1' } };
    expect(inTrace(record, traceHeaders({}))).toBe(record);
    expect(inTrace(record, { traceparent: PARENT }).headers).toEqual({ a: '1', traceparent: PARENT });
  });
});
