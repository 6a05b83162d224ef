import { describe, expect, it } from 'vitest';
import type { Mapping } from '../../../../src/connectors/table/mapping.ts';
import { matchFiles } from '../../../../src/connectors/table/match-files.ts';

const file = (id: string, name: string) => ({ id, name, delimiter: ',', trim: true, columns: [] });
const mapping: Mapping = {
  name: 'm',
  order: 'file',
  params: {},
  ignore: new Set(['notes.csv']),
  files: new Map([
    ['deals', file('deals', 'deals.csv')],
    ['accounts', file('accounts', 'accounts.csv')],
  ]),
  tables: [],
  sources: [],
};

describe('matchFiles', () => {
  it('goes by base name, by a name said outright, and leaves out what may be there', () => {
    const found = matchFiles(mapping, ['x/deals.csv', 'accounts=/tmp/export=1.csv', 'notes.csv']);
    expect([...found]).toEqual([
      ['deals', 'x/deals.csv'],
      ['accounts', '/tmp/export=1.csv'],
    ]);
  });

  it.each([
    [['deals.csv'], /missing: accounts\.csv/],
    [['deals.csv', 'accounts.csv', 'other.csv'], /`other\.csv` is no file/],
    [['deals.csv', 'a/deals.csv', 'accounts.csv'], /two files/],
    [['deal=deals.csv'], /no file `deal`/],
  ])('refuses %j', (given, message) => {
    expect(() => matchFiles(mapping, given)).toThrowError(
      expect.objectContaining({ code: 'PLB-MAP-FILE', message: expect.stringMatching(message) }),
    );
  });
});
