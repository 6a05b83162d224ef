import { describe, expect, it } from 'vitest';
import { parseDateText, readDateFormat } from '../../../../src/connectors/table/date-format.ts';

function parse(format: string, text: string): string | null {
  const read = readDateFormat(format);
  if (typeof read === 'string') throw new Error(read);
  const ms = parseDateText(read, text);
  return ms === null ? null : new Date(ms).toISOString();
}

describe('parseDateText', () => {
  it.each([
    ['yyyy-mm-dd', '2017-03-04', '2017-03-04T00:00:00.000Z'],
    ['m/d/yyyy', '3/4/2017', '2017-03-04T00:00:00.000Z'],
    ['m/d/yyyy', '03/04/2017', '2017-03-04T00:00:00.000Z'],
    ['dd-mm-yyyy', '04-03-2017', '2017-03-04T00:00:00.000Z'],
    ['d.m.yyyy', '4.3.2017', '2017-03-04T00:00:00.000Z'],
    ['yyyymmdd', '20170304', '2017-03-04T00:00:00.000Z'],
    ['yyyy-mm-dd hh:mm:ss', '2017-03-04 23:59:58', '2017-03-04T23:59:58.000Z'],
    ['m/d/yyyy h:mm', '3/4/2017 9:05', '2017-03-04T09:05:00.000Z'],
    ['yyyy-mm-ddThh:mm:ssZ', '2017-03-04T01:02:03Z', '2017-03-04T01:02:03.000Z'],
    ['yyyy-mm-dd', '2024-02-29', '2024-02-29T00:00:00.000Z'],
    ['yyyy-mm-dd', '0050-01-01', '0050-01-01T00:00:00.000Z'],
  ])('%s reads %s', (format, text, iso) => expect(parse(format, text)).toBe(iso));

  it.each([
    ['yyyy-mm-dd', '2023-02-29'],
    ['yyyy-mm-dd', '2023-04-31'],
    ['yyyy-mm-dd', '2023-00-10'],
    ['yyyy-mm-dd', '2023-1-1'],
    ['yyyy-mm-dd', '2023-01-01 '],
    ['yyyy-mm-dd', '0000-01-01'],
    ['m/d/yyyy', '13/1/2023'],
    ['m/d/yyyy', '2023-01-13'],
    ['dd-mm-yyyy', '01-13-2023'],
    ['yyyy-mm-dd hh:mm:ss', '2023-01-01 24:00:00'],
    ['yyyy-mm-dd hh:mm:ss', '2023-01-01'],
  ])('%s does not guess at %s', (format, text) => expect(parse(format, text)).toBeNull());
});

describe('readDateFormat', () => {
  it.each([
    ['m/d/yy', /two digits is ambiguous/],
    ['dmyyyy', /`dm` is ambiguous/],
    ['yyyym-dd', /`yyyym` is ambiguous/],
    ['YYYY-MM-DD', /`Y` is no part/],
    ['yyyy-mm', /day is missing/],
    ['yyyy-mm-dd mm', /each part once/],
    ['yyyy-mmm-dd', /`mmm` is ambiguous/],
    ['yyyy-mm-dd x', /`x` is no part/],
    ['', /year is missing/],
    ['yyyy-mm-dd'.repeat(9), /at most/],
  ])('refuses %j', (format, message) => expect(readDateFormat(format)).toMatch(message));

  it('takes no character of a format as a pattern', () => {
    expect(parse('yyyy.mm.dd', '2017x03x04')).toBeNull();
    expect(parse('(yyyy)mm+dd', '(2017)03+04')).not.toBeNull();
  });
});
