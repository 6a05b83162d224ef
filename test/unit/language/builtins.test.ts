import { describe, expect, it } from 'vitest';
import { BUILTINS, isTimeZone } from '../../../src/language/builtins.ts';
import { formatDate, parseDate } from '../../../src/language/contract.ts';

const { startOfDate, dateOfInstant, dayOfYear, fullYear, timestampOfString } = BUILTINS;

/** Their clocks jump at midnight, or over it, or by odd amounts; two skipped a whole day. */
const ZONES = [
  'UTC',
  '+05:45',
  '-03:30',
  'Europe/Berlin',
  'America/New_York',
  'America/Santiago',
  'America/Havana',
  'America/Sao_Paulo',
  'America/Asuncion',
  'America/St_Johns',
  'America/Toronto',
  'America/Scoresbysund',
  'Atlantic/Azores',
  'Africa/Cairo',
  'Africa/Casablanca',
  'Asia/Amman',
  'Asia/Beirut',
  'Asia/Gaza',
  'Asia/Kathmandu',
  'Asia/Tehran',
  'Australia/Lord_Howe',
  'Pacific/Apia',
  'Pacific/Chatham',
  'Pacific/Kiritimati',
  'Pacific/Kwajalein',
];
const YEARS = [1, 99, 1919, 1993, 2006, 2011, 2018, 2026];
const SKIPPED: ReadonlySet<string> = new Set(['Pacific/Apia 2011-12-30', 'Pacific/Kwajalein 1993-08-21']);

function daysOfYear(year: number): readonly number[] {
  const text = String(year).padStart(4, '0');
  const first = parseDate(`${text}-01-01`) ?? Number.NaN;
  const last = parseDate(`${text}-12-31`) ?? Number.NaN;
  return Array.from({ length: last - first + 1 }, (_, i) => first + i);
}

describe('a date', () => {
  it.each(ZONES)('begins at its first instant: %s', (zone) => {
    const wrong: string[] = [];
    for (const days of YEARS.flatMap(daysOfYear)) {
      const name = `${zone} ${formatDate(days)}`;
      const start = startOfDate(days, zone);
      if (start === undefined) wrong.push(name);
      else if (dateOfInstant(start, zone) !== (SKIPPED.has(name) ? days + 1 : days)) wrong.push(name);
      else if (dateOfInstant(start - 1, zone) >= days) wrong.push(`${name} began earlier`);
    }
    expect(wrong).toEqual([]);
  });

  it.each([
    ['America/Santiago', '2026-09-06', '2026-09-06T04:00:00Z'],
    ['America/Havana', '2026-03-08', '2026-03-08T05:00:00Z'],
    ['Atlantic/Azores', '2026-03-29', '2026-03-29T01:00:00Z'],
    ['America/Sao_Paulo', '2018-11-04', '2018-11-04T03:00:00Z'],
    ['Asia/Amman', '2011-10-28', '2011-10-27T21:00:00Z'],
    ['America/Toronto', '1919-03-31', '1919-03-31T04:30:00Z'],
  ])('begins where the clock jumps: %s %s', (zone, date, instant) =>
    expect(startOfDate(parseDate(date) ?? 0, zone)).toBe(Date.parse(instant)),
  );
});

describe('the years 1 to 99', () => {
  it.each(['UTC', 'Europe/Berlin', 'America/New_York'])('are not those of the last century: %s', (zone) => {
    const noon = Date.parse('0050-03-01T12:00:00Z');
    expect([fullYear(noon, zone), dayOfYear(noon, zone)]).toEqual([50, 59]);
  });

  it('reach back to the first instant in every zone', () => {
    const first = Date.parse('0001-01-01T00:00:00Z');
    expect(dayOfYear(first, 'UTC')).toBe(0);
    expect(dayOfYear(first, 'Europe/Berlin')).toBe(0);
    expect(dayOfYear(Date.parse('0001-01-03T00:00:00Z'), 'America/New_York')).toBe(1);
  });
});

describe('a time zone', () => {
  it.each(['UTC', 'Z', '+02:00', '-09:30', '02:00', '+14:00', 'Europe/Berlin'])('is %s', (zone) =>
    expect(isTimeZone(zone)).toBe(true),
  );
  it.each(['', '+99:99', '+25:00', '+24:00', '+10:60', '-00:99', '2:00', '+2', 'Mars/Olympus', ' UTC'])(
    'is not %j',
    (zone) => expect(isTimeZone(zone)).toBe(false),
  );
});

it('timestamp() takes what a field takes', () => {
  expect(timestampOfString('2026-03-01T23:59:59.5+01:00')).toBe(Date.parse('2026-03-01T22:59:59.5Z'));
  for (const text of ['2026-03-01T24:00:00Z', '2026-02-30T00:00:00Z', '2026-03-01', ''])
    expect(timestampOfString(text)).toBeUndefined();
});
