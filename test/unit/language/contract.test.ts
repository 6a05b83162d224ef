import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseDate, parseInstant } from '../../../src/language/contract.ts';

const DAY_MS = 86_400_000;
const REFERENCE = /^(\d{4}-\d{2}-\d{2})T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,9})?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)$/;

/** The same by regular expressions and the platform's own calendar. */
function dateByCalendar(text: string): number | null {
  const ms = /^\d{4}-\d{2}-\d{2}$/.test(text) ? Date.parse(`${text}T00:00:00Z`) : Number.NaN;
  if (Number.isNaN(ms) || text.startsWith('0000') || new Date(ms).toISOString().slice(0, 10) !== text) return null;
  return ms / DAY_MS;
}

function instantByCalendar(text: string): number | null {
  const date = REFERENCE.exec(text)?.[1];
  if (date === undefined || dateByCalendar(date) === null) return null;
  const ms = Date.parse(text);
  return ms >= Date.parse('0001-01-01T00:00:00Z') && ms <= Date.parse('9999-12-31T23:59:59.999Z') ? ms : null;
}

const number = (max: number, width: number): fc.Arbitrary<string> =>
  fc.integer({ min: 0, max }).map((n) => String(n).padStart(width, '0'));
const dateText = fc.tuple(number(9999, 4), number(14, 2), number(33, 2)).map((parts) => parts.join('-'));
const timeText = fc.tuple(number(25, 2), number(61, 2), number(61, 2)).map((parts) => parts.join(':'));
const zoneText = fc.oneof(fc.constantFrom('Z', 'z', '', '+01:00', '-23:59', '+24:00', '+10:60'), number(9999, 4));
const fraction = fc.constantFrom('', '', '', '.5', '.123456789', '.', '.1234567890');
const instantText = fc.tuple(dateText, timeText, fraction, zoneText).map(([d, t, f, z]) => `${d}T${t}${f}${z}`);
/** One character replaced: by a sign, a digit of another script, a letter. */
const damaged = (text: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc
    .tuple(text, fc.nat({ max: 30 }), fc.constantFrom('-', ' ', ':', 'T', 't', '٣', '/', 'x', '0', ''))
    .map(([whole, at, other]) => whole.slice(0, at) + other + whole.slice(at + 1));

describe('a date and an instant', () => {
  it('are read as the calendar has them', () => {
    fc.assert(
      fc.property(fc.oneof(dateText, damaged(dateText)), (text) => {
        expect([text, parseDate(text)]).toEqual([text, dateByCalendar(text)]);
      }),
      { numRuns: 5000 },
    );
    fc.assert(
      fc.property(fc.oneof(instantText, damaged(instantText)), (text) => {
        expect([text, parseInstant(text)]).toEqual([text, instantByCalendar(text)]);
      }),
      { numRuns: 10_000 },
    );
  });

  it('are read over all the years', () => {
    for (
      let ms = Date.parse('0001-01-01T00:00:00Z');
      ms < Date.parse('9999-12-31T00:00:00Z');
      ms += 17 * DAY_MS + 3_723_000
    ) {
      const text = new Date(ms).toISOString().replace('.000Z', 'Z');
      expect(parseInstant(text)).toBe(ms);
      expect(parseDate(text.slice(0, 10))).toBe(Math.floor(ms / DAY_MS));
    }
  });

  it.each(['2026-03-01T24:00:00Z', '2026-03-01T24:00:00.0Z', '2026-03-01T12:00:60Z', '2026-02-29T12:00:00Z'])(
    'is none: %s',
    (text) => expect(parseInstant(text)).toBeNull(),
  );
});
