import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { importTexts } from './table-import.ts';

const CRM = readFileSync('mappings/crm-sales-opportunities.yaml', 'utf8');
const PIPELINE = 'opportunity_id,sales_agent,product,account,deal_stage,engage_date,close_date,close_value';
const ACCOUNTS = 'account,sector,year_established,revenue,employees,office_location,subsidiary_of\n';
const PRODUCTS = 'product,series,sales_price\nGTX Pro,GTX,4821\nGTX Basic,GTX,550\n';

const crm = (rows: readonly string[], accounts = 'Cancity,technolgy,2001,718.62,2448,Philipines,\n') =>
  importTexts(CRM, {
    accounts: ACCOUNTS + accounts,
    products: PRODUCTS,
    pipeline: [PIPELINE, ...rows, ''].join('\n'),
  });

const deals = async (...rows: string[]) => {
  const { changes, rejects } = await crm(rows);
  return { deals: changes.filter((one) => one.entity === 'deal'), rejects };
};

describe('the shipped mapping of CRM sales opportunities', () => {
  it('makes two changes of a deal that was engaged and won', async () => {
    const { deals: found } = await deals('O1,Moses Frase,GTX Basic,Cancity,Won,2016-10-20,2017-03-01,495');
    expect(found).toEqual([
      {
        event_id: 'crm-sales-opportunities:deal:O1:1476921600000001',
        entity: 'deal',
        id: 'O1',
        account_id: 'Cancity',
        version: '1476921600000001',
        changed_at: '2016-10-20T00:00:00Z',
        op: 'upsert',
        fields: {
          name: 'GTX Basic for Cancity',
          stage: 'qualification',
          owner: 'Moses Frase',
          product: 'GTX Basic',
          list_price: 550,
          amount: 550,
          currency: 'USD',
          forecast_category: 'pipeline',
          stage_entered_at: '2016-10-20T00:00:00Z',
          last_activity_at: '2016-10-20T00:00:00Z',
        },
      },
      {
        event_id: 'crm-sales-opportunities:deal:O1:1488326400000002',
        entity: 'deal',
        id: 'O1',
        account_id: 'Cancity',
        version: '1488326400000002',
        changed_at: '2017-03-01T00:00:00Z',
        op: 'upsert',
        fields: {
          stage: 'won',
          amount: 495,
          discount_pct: 10,
          forecast_category: 'closed',
          stage_entered_at: '2017-03-01T00:00:00Z',
          last_activity_at: '2017-03-01T00:00:00Z',
          close_date: '2017-03-01',
          closed_at: '2017-03-01T00:00:00Z',
        },
      },
    ]);
  });

  it('orders what happened on one day by the stage', async () => {
    const { deals: found } = await deals(
      'O2,A,GTX Basic,Cancity,Lost,2017-03-01,2017-03-01,0',
      'O1,A,GTX Basic,Cancity,Won,2017-03-01,2017-03-01,550',
    );
    expect(found.map((one) => [one.id, String(one.version).slice(-3)])).toEqual([
      ['O2', '001'],
      ['O1', '001'],
      ['O2', '002'],
      ['O1', '002'],
    ]);
  });

  it('takes a lost deal of value 0 for lost, not for free', async () => {
    const { deals: found } = await deals('O1,A,GTX Basic,Cancity,Lost,2017-01-01,2017-03-01,0');
    expect(found[1]?.fields).not.toHaveProperty('amount');
    expect(found[1]?.fields).not.toHaveProperty('discount_pct');
    expect(found[1]?.fields).toMatchObject({ stage: 'lost', forecast_category: 'omitted' });
  });

  it('knows GTXPro, prices open deals by the list, and leaves a blank account out', async () => {
    const { deals: found, rejects } = await deals('O1,A,GTXPro,,Engaging,2017-01-01,,');
    expect(rejects).toEqual([]);
    expect(found).toHaveLength(1);
    expect(found[0]).not.toHaveProperty('account_id');
    expect(found[0]?.fields).toMatchObject({ product: 'GTX Pro', name: 'GTX Pro', amount: 4821, list_price: 4821 });
  });

  it('sees a deal without dates on the day of the export', async () => {
    const { deals: found } = await deals('O1,A,GTX Basic,Cancity,Prospecting,,,');
    expect(found).toHaveLength(1);
    expect(found[0]).toMatchObject({ changed_at: '2017-12-31T00:00:00Z', fields: { stage: 'prospecting' } });
    expect(found[0]?.fields).not.toHaveProperty('created_at');
  });

  it('calls nothing over the list price a discount', async () => {
    const { deals: found } = await deals('O1,A,GTX Basic,Cancity,Won,2017-01-01,2017-03-01,600');
    expect(found[1]?.fields).toMatchObject({ amount: 600, discount_pct: 0 });
  });

  it('puts accounts first, with the spelling mended and money in dollars', async () => {
    const { changes } = await crm(['O1,A,GTX Basic,Cancity,Won,2016-10-20,2017-03-01,550']);
    expect(changes[0]).toMatchObject({
      entity: 'account',
      id: 'Cancity',
      changed_at: '2016-10-20T00:00:00Z',
      fields: { industry: 'technology', country: 'Philippines', annual_revenue: 718_620_000, employees: 2448 },
    });
  });

  it('rejects what it cannot map, with row and reason, and goes on', async () => {
    const { changes, rejects, counts } = await crm([
      'O1,A,GTX Basic,Cancity,Won,2017-02-30,2017-03-01,550',
      'O2,A,GTX Nano,Cancity,Engaging,2017-02-01,,',
      'O3,A,GTX Basic,Nowhere,Engaging,2017-02-01,,',
      'O4,A,GTX Basic,Cancity,Signed,2017-02-01,,',
      'O5,A,GTX Basic,Cancity,Won,2017-02-01,,550',
      'O6,A,GTX Basic,Cancity,Won,2017-02-01,2017-03-01,much',
      'O7,A,GTX Basic,Cancity,Engaging',
      ',A,GTX Basic,Cancity,Engaging,2017-02-01,,',
      'O8,A,GTX Basic,Cancity,Engaging,2017-02-01,,',
      'O8,A,GTX Basic,Cancity,Engaging,2017-02-01,,',
    ]);
    expect(rejects.map(({ row, column, code }) => [row, column, code])).toEqual([
      [2, 'engage_date', 'PLB-MAP-DATE'],
      [3, null, 'PLB-MAP-LOOKUP'],
      [4, null, 'PLB-MAP-LOOKUP'],
      [5, 'deal_stage', 'PLB-MAP-VALUE'],
      [6, null, 'PLB-MAP-TYPE'],
      [7, 'close_value', 'PLB-MAP-CELL'],
      [8, null, 'PLB-MAP-CSV'],
      [9, 'opportunity_id', 'PLB-MAP-EMPTY'],
      [11, null, 'PLB-MAP-VERSION'],
    ]);
    expect(rejects[0]?.message).toBe('column `engage_date`: `2017-02-30` is no date of the format yyyy-mm-dd');
    expect(rejects[1]?.message).toContain('`GTX Nano` is not in `products.csv`');
    expect(rejects[3]?.message).toContain('`Signed` is not in its value map');
    expect(rejects.every((one) => one.file === 'sales_pipeline.csv')).toBe(true);
    expect(changes.filter((one) => one.entity === 'deal').map((one) => one.id)).toEqual(['O8']);
    expect(counts).toEqual({ rows: 11, changes: 2, rejected: 9 });
  });
});

const mapping = (columns: string, fields: string, rest = ''): string => `apiVersion: plumbline/v1
kind: ImportMapping
name: t
files:
  f:
    name: f.csv
${rest}    columns:
      id: string
${columns}
rows:
  - file: f
    changes:
      - entity: account
        id: row.id
        changed_at: row.day
        fields:
${fields}
`;
const TRIAL = '          is_trial: row.trial\n          annual_revenue: row.revenue\n          name: row.name';
const COLUMNS = '      trial: bool\n      revenue: number\n      name: string\n';

describe('a spreadsheet that opened and saved the file', () => {
  const rows = [
    ['id', 'day', 'trial', 'revenue', 'name'],
    ['A1', '2024-03-04', 'true', '1234.5', 'Münster, "Große" GmbH'],
    ['A2', '2024-12-31', 'false', '-7', 'two\nlines'],
    ['A3', '2024-02-29', '', '', ''],
  ];
  const csv = (delimiter: string, end: string, edit: (cell: string, column: number) => string, bom = ''): string =>
    bom +
    rows
      .map(
        (row, index) =>
          row.map((cell, column) => quote(index === 0 ? cell : edit(cell, column), delimiter)).join(delimiter) + end,
      )
      .join('');
  const quote = (cell: string, delimiter: string): string =>
    cell.includes(delimiter) || /["\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
  const day = (format: string) => `      day: { type: date, format: ${format} }\n`;
  const [ymd, same] = [day('yyyy-mm-dd'), (cell: string) => cell];
  const american = (cell: string, column: number) => {
    const [y, m, d] = cell.split('-').map(Number);
    return column === 1
      ? `${m}/${d}/${y}`
      : cell.toUpperCase() === 'TRUE' || cell === 'false'
        ? cell.toUpperCase()
        : cell;
  };
  const european = (cell: string, column: number) =>
    column === 1
      ? cell.split('-').reverse().join('-')
      : column === 3
        ? cell.replace('.', ',')
        : column === 2 && cell
          ? `${cell[0]?.toUpperCase()}${cell.slice(1)}`
          : cell;
  const comma = COLUMNS.replace('number', '{ type: number, decimal: ",", thousands: "." }');

  it('gives the same changes, once the mapping says how it writes', async () => {
    const plain = await importTexts(mapping(ymd + COLUMNS, TRIAL), { f: csv(',', '\n', same) });
    expect(plain.rejects).toEqual([]);
    expect(plain.changes.map((one) => one.fields)).toEqual([
      { is_trial: true, annual_revenue: 1234.5, name: 'Münster, "Große" GmbH' },
      { is_trial: false, annual_revenue: -7, name: 'two\nlines' },
      {},
    ]);
    const others = await Promise.all([
      importTexts(mapping(ymd + COLUMNS, TRIAL), { f: csv(',', '\r\n', same, '\ufeff') }),
      importTexts(mapping(ymd + COLUMNS, TRIAL), { f: csv(',', '\r', same) }),
      importTexts(mapping(ymd + COLUMNS, TRIAL), { f: csv(',', '\n', same).trimEnd().concat('\r\n,,,,\r\n\r\n') }),
      importTexts(mapping(day('m/d/yyyy') + COLUMNS, TRIAL, '    delimiter: tab\n'), {
        f: csv('\t', '\r\n', american),
      }),
      importTexts(mapping(day('dd-mm-yyyy') + comma, TRIAL, '    delimiter: ";"\n'), {
        f: csv(';', '\r\n', european, '\ufeff'),
      }),
    ]);
    for (const other of others) expect(other).toEqual(plain);
  });

  it('never guesses at a date of another format', async () => {
    const { rejects } = await importTexts(mapping(day('m/d/yyyy') + COLUMNS, TRIAL), { f: csv(',', '\n', same) });
    expect(rejects.map((one) => [one.row, one.line, one.code])).toEqual([
      [2, 2, 'PLB-MAP-DATE'],
      [3, 4, 'PLB-MAP-DATE'],
      [4, 5, 'PLB-MAP-DATE'],
    ]);
  });
});

describe('an empty cell', () => {
  const day = '      day: { type: date, format: yyyy-mm-dd }\n';
  const run = (column: string, field: string) =>
    importTexts(mapping(`${day}      x: ${column}`, `          plan: ${field}`), { f: 'id,day,x\nA,2024-01-01,\n' });

  it.each([
    ['string', 'row.x', {}, undefined],
    ['string', '{ cel: row.x, empty: clear }', {}, ['plan']],
    ['string', '{ cel: row.x, empty: { value: none } }', { plan: 'none' }, undefined],
    ['{ type: string, empty: { value: basic } }', 'row.x', { plan: 'basic' }, undefined],
    ['string', '\'row.x == null ? "?" : row.x\'', { plan: '?' }, undefined],
  ])('%s as %s', async (column, field, fields, cleared) => {
    const { changes } = await run(column, field);
    expect(changes[0]?.fields).toEqual(fields);
    expect(changes[0]?.cleared).toEqual(cleared);
  });

  it('may be written as a text of its own', async () => {
    const columns = `${day}      x: { type: number, nulls: [N/A, "-"] }`;
    const text = 'id,day,x\nA,2024-01-01,N/A\nB,2024-01-01,-\nC,2024-01-01,n/a\n';
    const { changes, rejects } = await importTexts(mapping(columns, '          annual_revenue: row.x'), { f: text });
    expect(changes.map((one) => one.fields)).toEqual([{}, {}]);
    expect(rejects.map((one) => one.code)).toEqual(['PLB-MAP-CELL']);
  });
});

const TABLES = `apiVersion: plumbline/v1
kind: ImportMapping
name: t
params: { at: { date: "2024-12-31" } }
files:
  accounts: { name: a.csv, columns: { id: string } }
  subs: { name: s.csv, columns: { sub: string, account: string } }
  usage:
    name: u.csv
    columns: { usage_id: string, sub: string, day: { type: date, format: yyyy-mm-dd }, uses: int }
tables:
  subs: { file: subs, key: row.sub }
  usage:
    file: usage
    lookups: { sub: { table: subs, key: row.sub, aliases: { S-1: S1 } } }
    key: lookup.sub.account
    values:
      rows: { count: true, when: row.uses > 0 }
      uses: { sum: row.uses }
      first: { min: row.day }
      last: { max: row.day }
      newest: { latest: row.usage_id, by: row.day }
rows:
  - file: accounts
    lookups: { usage: { table: usage, key: row.id, missing: null } }
    changes:
      - entity: account
        id: row.id
        changed_at: params.at
        fields:
          tickets_90d: lookup.usage.rows
          seats_sold: lookup.usage.uses
          signed_up_at: lookup.usage.first
          renewal_date: lookup.usage.last
          plan: lookup.usage.newest
`;

describe('tables', () => {
  const files = {
    accounts: 'id\nA\nB\n',
    subs: 'sub,account\nS1,A\nS2,A\n',
    usage:
      'usage_id,sub,day,uses\nU1,S1,2024-01-05,3\nU1,S2,2024-03-01,4\nU2,S-1,2024-03-01,0\nU3,S1,,2\nU4,S9,2024-01-01,1\n',
  };

  it('aggregate over other files; an id that is there twice counts twice', async () => {
    const { changes, rejects, counts } = await importTexts(TABLES, files);
    expect(changes.map((one) => one.fields)).toEqual([
      { tickets_90d: 3, seats_sold: 9, signed_up_at: '2024-01-05T00:00:00Z', renewal_date: '2024-03-01', plan: 'U2' },
      { tickets_90d: 0 },
    ]);
    expect(rejects.map((one) => [one.file, one.row, one.code])).toEqual([['u.csv', 6, 'PLB-MAP-LOOKUP']]);
    expect(counts).toEqual({ rows: 2, changes: 2, rejected: 1 });
  });

  it('without values have one row a key', async () => {
    const { rejects } = await importTexts(TABLES, { ...files, subs: 'sub,account\nS1,A\nS2,A\nS1,B\n' });
    expect(rejects[0]).toMatchObject({ file: 's.csv', row: 4, code: 'PLB-MAP-DUPLICATE-KEY' });
  });
});

describe('a file that cannot be read', () => {
  const day = '      day: { type: date, format: yyyy-mm-dd }';
  const run = (f: string | Uint8Array) => importTexts(mapping(day, '          plan: row.id'), { f });

  it.each([
    ['an empty one', '', 'PLB-MAP-HEADER', /empty/],
    ['a missing column', 'id,date\n', 'PLB-MAP-HEADER', /`day` is missing/],
    ['another delimiter', 'id;day\n', 'PLB-MAP-HEADER', /`id` is missing/],
    ['a column twice', 'id,day,day\n', 'PLB-MAP-HEADER', /twice/],
    ['an open quote', 'id,day\n"A,2024-01-01\nB,2024-01-01\n', 'PLB-MAP-CSV', /Quote Not Closed/],
    ['an endless row', `id,day\n${'x'.repeat(1024 * 1024 + 10)}`, 'PLB-MAP-CSV', /Max Record Size/],
    ['UTF-16', Uint8Array.of(0xff, 0xfe, 0x69, 0, 0x64, 0), 'PLB-MAP-ENCODING', /UTF-8/],
    ['Latin-1', Uint8Array.of(0x69, 0x64, 0x2c, 0xfc, 0x0a), 'PLB-MAP-ENCODING', /UTF-8/],
  ])('%s', async (_, f, code, message) => {
    await expect(run(f)).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
  });

  it('is no reason to guess when a cell is hostile', async () => {
    const { changes, rejects } = await run('id,day\n__proto__,2024-01-01\n"a\u0000b",2024-01-01\n=1+1,2024-01-01\n');
    expect(changes.map((one) => one.id)).toEqual(['__proto__', '=1+1']);
    expect(rejects.map((one) => one.code)).toEqual(['PLB-CHANGE-ID']);
  });
});

describe('a change', () => {
  const run = async (change: string, row = 'D1,,2024-01-01,7') => {
    const text = `apiVersion: plumbline/v1
kind: ImportMapping
name: t
files:
  f: { name: f.csv, columns: { id: string, account: string, day: { type: date, format: yyyy-mm-dd }, n: int } }
rows:
  - file: f
    changes:
      - { entity: deal, id: row.id, changed_at: row.day, ${change} }
`;
    const { changes, rejects } = await importTexts(text, { f: `id,account,day,n\n${row}\n` });
    return changes[0] ?? rejects[0];
  };

  it('may take the deal from its account, or leave it where it is', async () => {
    expect(await run('account_id: row.account')).not.toHaveProperty('account_id');
    expect(await run('account_id: { cel: row.account, empty: clear }')).toHaveProperty('account_id', null);
    expect(await run('account_id: row.account', 'D1,A1,2024-01-01,7')).toHaveProperty('account_id', 'A1');
  });

  it('may delete', async () => expect(await run('op: delete')).toMatchObject({ op: 'delete', id: 'D1' }));

  it('has a version of its time and sequence, or one of its own', async () => {
    expect(await run('sequence: row.n')).toMatchObject({ version: '1704067200000007' });
    expect(await run('version: string(row.n)')).toMatchObject({ version: '7', event_id: 't:deal:D1:7' });
    expect(await run('sequence: row.n * 1000')).toMatchObject({ code: 'PLB-MAP-TYPE' });
    expect(await run('version: row.id')).toMatchObject({ code: 'PLB-CHANGE-VERSION' });
    expect(await run('sequence: 0', 'D1,,1969-12-31,7')).toMatchObject({ code: 'PLB-MAP-VERSION' });
  });

  it('has lists, records, dates and constants', async () => {
    const contacts = '[{"name": row.id, "is_executive": row.n > 5}, {"title": null}]';
    const approvals = '[{"at": row.day, "value": row.n}]';
    expect(
      await run(
        `fields: { contacts: '${contacts}', approvals: '${approvals}', close_date: row.day, push_count: 2, stage: { const: won } }`,
      ),
    ).toMatchObject({
      fields: {
        contacts: [
          { name: 'D1', is_executive: true },
          { name: null, title: null },
        ],
        approvals: [{ at: '2024-01-01T00:00:00Z', value: 7 }],
        close_date: '2024-01-01',
        push_count: 2,
        stage: 'won',
      },
    });
  });

  it.each([
    ['fields: { name: row.n }', 'PLB-MAP-TYPE'],
    ['fields: { amount: row.id }', 'PLB-FIELD-TYPE'],
    ['fields: { push_count: double(row.n) / 2.0 }', 'PLB-FIELD-RANGE'],
    ['fields: { close_date: row.id }', 'PLB-FIELD-DATE'],
    ['fields: { stage: row.id }', 'PLB-FIELD-ENUM'],
    ['fields: { stage: row.account, name: row.id }, empty: clear', 'PLB-FIELD-REQUIRED'],
    ['fields: { amount: row.n / 0 }', 'PLB-MAP-EVAL'],
    ['fields: { amount: row.account * 2 }', 'PLB-MAP-EVAL'],
    ['when: row.account', 'PLB-MAP-EVAL'],
  ])('is rejected: %s', async (change, code) => expect(await run(change)).toMatchObject({ code }));
});
