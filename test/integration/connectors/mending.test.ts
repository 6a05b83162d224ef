import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { listDeadLetters, redrive } from '../../../src/runtime/dead-letters.ts';
import { dirtyEntities } from '../../../src/runtime/listed-entities.ts';
import type { Result } from '../../../src/scoring/result.ts';
import { ROOT, scratchDirectory } from '../../support/cli.ts';
import { type Connected, connected } from '../../support/connected.ts';
import { imagesOn, posturesOn } from '../../support/crm-on-log.ts';
import { recordsOf, textsOf } from '../../support/rescore.ts';

const AT = Date.parse('2026-03-01T09:00:00Z');
const iso = (ms: number): string => new Date(ms).toISOString();

/** A change event of Salesforce: what is in `fields` is what has changed, the time in seconds after AT. */
function salesforce(
  changeType: string,
  entityName: string,
  id: string,
  second: number,
  fields: object = {},
  sequenceNumber = 1,
): object {
  const paths = Object.keys(fields);
  const isUpdate = changeType === 'UPDATE';
  return {
    replayId: 1_000 + second,
    payload: {
      ChangeEventHeader: {
        ...{ entityName, recordIds: [id], changeType, changeOrigin: '', transactionKey: `t-${second}-${id}` },
        ...{
          sequenceNumber,
          commitTimestamp: AT + second * 1_000,
          commitNumber: 1,
          commitUser: 'u',
          diffFields: [],
        },
        changedFields: isUpdate ? paths : [],
        nulledFields: isUpdate ? paths.filter((path) => (fields as { [name: string]: unknown })[path] === null) : [],
      },
      ...fields,
    },
  };
}

const opportunity = (stage: string, more: object = {}): object => ({
  ...{ Name: 'Acme', StageName: stage, Amount: 100, AccountId: 'A1', CloseDate: AT + 30 * 86_400_000, OwnerId: 'u1' },
  ...more,
});

const imageOf = async ({ log, topics }: Connected, key: string) =>
  (await imagesOn(log, topics)).get(key) as
    | { fields: { [name: string]: unknown }; account_id: string | null; dirty: boolean }
    | undefined;
const resultsOf = async ({ log, topics }: Connected, id: string, set: string): Promise<readonly Result[]> =>
  (await recordsOf(log, topics.results))
    .flatMap(textsOf)
    .map((text) => JSON.parse(text) as Result)
    .filter((result) => result.id === id && result.set === set);
async function lettersOf({ log, topics }: Connected) {
  const letters = [];
  for await (const letter of listDeadLetters(log, topics)) letters.push(letter);
  return letters;
}

describe('a connector on the embedded log', () => {
  let scratch: ReturnType<typeof scratchDirectory>;
  let running: Connected;
  beforeEach(() => {
    scratch = scratchDirectory();
  });
  afterEach(async () => {
    await running.stop();
    scratch.remove();
  });
  const start = async (mapping: string): Promise<Connected> => {
    running = await connected(scratch.path, mapping);
    return running;
  };
  const shipped = (name: string): string => `${ROOT}mappings/${name}.yaml`;
  /** A copy that a test may mend. */
  const copied = (name: string, edit: (text: string) => string = (text) => text): string => {
    const file = join(scratch.path, `${name}.yaml`);
    writeFileSync(file, edit(readFileSync(shipped(name), 'utf8')));
    return file;
  };

  it('keeps what an unmapped stage costs, and answers it once when the mapping is mended and it is redriven twice', async () => {
    const mapping = copied('hubspot');
    const first = await start(mapping);
    const event = (propertyName: string, propertyValue: string, at: number) => ({
      ...{ portalId: 1, eventId: at, subscriptionType: 'deal.propertyChange', objectId: 7, occurredAt: AT + at },
      ...{ propertyName, propertyValue },
    });
    // In one record: the good ones of it go on.
    await first.take([
      event('dealstage', 'appointmentscheduled', 1),
      event('dealstage', 'legalreview', 2),
      event('amount', '500', 3),
    ]);
    expect(await imageOf(first, 'deal 7')).toMatchObject({ fields: { stage: 'prospecting', amount: 500 } });
    const letters = await lettersOf(first);
    expect(letters.map(({ reason }) => [reason.stage, reason.code])).toEqual([['connect', 'PLB-MAP-VALUE']]);
    expect(letters[0]?.reason.message).toContain('`legalreview`');
    const before = await resultsOf(first, '7', 'pipeline-hygiene');
    await first.stop();

    writeFileSync(
      mapping,
      readFileSync(mapping, 'utf8').replace('contractsent: negotiation', '$&\n          legalreview: negotiation'),
    );
    const mended = await start(mapping);
    for (let times = 0; times < 2; times++) {
      await redrive(mended.log, mended.topics, letters, { by: 'test', at: Date.now() });
      await mended.settled();
    }
    expect(await imageOf(mended, 'deal 7')).toMatchObject({ fields: { stage: 'negotiation', amount: 500 } });
    expect((await lettersOf(mended)).length).toBe(1);
    expect((await resultsOf(mended, '7', 'pipeline-hygiene')).length).toBe(before.length + 1);
  }, 60_000);

  it('shows a gap until the record is read again, also where the stream went on', async () => {
    const now = await start(shipped('salesforce'));
    await now.take(
      salesforce('CREATE', 'Opportunity', 'D1', 1, opportunity('Prospecting')),
      salesforce('GAP_UPDATE', 'Opportunity', 'D1', 5),
      salesforce('UPDATE', 'Opportunity', 'D1', 9, { Amount: 300 }),
    );
    expect(await imageOf(now, 'deal D1')).toMatchObject({ dirty: true, fields: { stage: 'prospecting', amount: 300 } });
    expect(dirtyEntities(now.log, now.topics, 10)).toMatchObject({ count: 1, first: [{ entity: 'deal', id: 'D1' }] });
    const rows = (second: number) =>
      `Id,SystemModstamp,Name,StageName,Amount,AccountId\nD1,${iso(AT + second * 1_000)},Acme,Qualification,300,A1\n`;
    // An export from before the gap mends nothing.
    expect((await now.sync('Opportunity=old.csv', rows(3), ['--exported-at', iso(AT + 4_000)])).code).toBe(0);
    expect(await imageOf(now, 'deal D1')).toMatchObject({ dirty: true });
    expect((await now.sync('Opportunity=new.csv', rows(9), ['--exported-at', iso(AT + 20_000)])).code).toBe(0);
    expect(await imageOf(now, 'deal D1')).toMatchObject({
      dirty: false,
      fields: { stage: 'qualification', amount: 300 },
    });
    expect(dirtyEntities(now.log, now.topics, 10)).toMatchObject({ count: 0, gaps: [] });
  }, 60_000);

  it('mends what was missed in the second of an update that was told', async () => {
    const now = await start(shipped('salesforce'));
    await now.take(
      salesforce('CREATE', 'Opportunity', 'D1', 1, opportunity('Prospecting')),
      salesforce('UPDATE', 'Opportunity', 'D1', 5, { Amount: 300 }, 1),
      salesforce('GAP_UPDATE', 'Opportunity', 'D1', 5, {}, 2),
    );
    expect(await imageOf(now, 'deal D1')).toMatchObject({ dirty: true, fields: { amount: 300 } });
    const rows = `Id,SystemModstamp,Name,StageName,Amount,AccountId\nD1,${iso(AT + 5_000)},Acme,Prospecting,400,A1\n`;
    expect((await now.sync('Opportunity=all.csv', rows, ['--exported-at', iso(AT + 20_000)])).code).toBe(0);
    expect(await imageOf(now, 'deal D1')).toMatchObject({ dirty: false, fields: { amount: 400 } });
  }, 60_000);

  it('shows an overflow on every image of the object, until all are read again', async () => {
    const now = await start(shipped('salesforce'));
    await now.take(
      salesforce('CREATE', 'Opportunity', 'D1', 1, opportunity('Prospecting')),
      salesforce('CREATE', 'Opportunity', 'D2', 1, opportunity('Prospecting')),
      salesforce('CREATE', 'Account', 'A1', 1, { Name: 'Acme' }),
      salesforce('GAP_OVERFLOW', 'Opportunity', '000000000000000AAA', 5),
      salesforce('UPDATE', 'Opportunity', 'D1', 9, { Amount: 300 }),
    );
    expect(await imageOf(now, 'deal D1')).toMatchObject({ dirty: true });
    expect(dirtyEntities(now.log, now.topics, 10).gaps).toEqual(
      expect.arrayContaining([{ entity: 'deal', id_prefix: '' }]),
    );
    // D2 is gone in the CRM, which nobody told.
    const rows = `Id,SystemModstamp,Name,StageName,Amount,AccountId\nD1,${iso(AT + 9_000)},Acme,Closed Won,300,A1\n`;
    expect((await now.sync('Opportunity=all.csv', rows, ['--exported-at', iso(AT + 60_000), '--prune'])).code).toBe(0);
    expect(await imageOf(now, 'deal D1')).toMatchObject({ dirty: false, fields: { stage: 'won' } });
    expect(await imageOf(now, 'deal D2')).toBeUndefined();
    expect(await imageOf(now, 'account A1')).toMatchObject({ dirty: false });
    expect(dirtyEntities(now.log, now.topics, 10)).toMatchObject({ count: 0, gaps: [] });
  }, 60_000);

  it('empties what a truncated table held, and keeps what is newer', async () => {
    const now = await start(shipped('debezium'));
    const message = (op: string, table: string, lsn: number, row: object | null) => ({
      ...{ op, ts_ms: AT, before: null, after: row },
      source: {
        connector: 'postgresql',
        name: 'crm',
        db: 'crm',
        schema: 'public',
        table,
        lsn,
        ts_ms: AT + lsn,
        snapshot: 'false',
      },
    });
    const deal = (id: string, stage: string) => ({ id, account_id: 'A1', name: id, stage, amount: 5 });
    await now.take(
      ...['D1', 'D2', 'D3'].map((id, index) => message('c', 'deals', 10 + index, deal(id, 'proposal'))),
      message('c', 'accounts', 20, { id: 'A1', name: 'Acme' }),
      message('c', 'deals', 40, deal('D4', 'won')),
      message('t', 'deals', 30, null),
      // What lay before it comes late.
      message('u', 'deals', 25, deal('D1', 'negotiation')),
      message('c', 'deals', 41, deal('D2', 'prospecting')),
    );
    const images = await imagesOn(now.log, now.topics);
    expect([...images.keys()]).toEqual(['account A1', 'deal D2', 'deal D4']);
    expect(images.get('deal D2')).toMatchObject({ fields: { stage: 'prospecting' }, account_id: 'A1' });
    const postures = [...(await posturesOn(now.log, now.topics)).keys()].filter((key) => key.startsWith('deal'));
    expect(new Set(postures.map((key) => key.split(' ')[1]))).toEqual(new Set(['D2', 'D4']));
  }, 60_000);

  it('moves the deals of an account that was merged, also one that comes late', async () => {
    const now = await start(shipped('salesforce'));
    await now.take(
      salesforce('CREATE', 'Account', 'A1', 1, { Name: 'Acme' }),
      salesforce('CREATE', 'Account', 'A2', 1, { Name: 'Acme Inc.' }),
      salesforce('CREATE', 'Opportunity', 'D1', 2, opportunity('Prospecting')),
      salesforce('DELETE', 'Account', 'A1', 5, { MasterRecordId: 'A2' }),
      // The CRM's own update of what belonged to the loser may be missing, and this one was written before the merge.
      salesforce('CREATE', 'Opportunity', 'D2', 3, opportunity('Prospecting')),
      salesforce('CREATE', 'Opportunity', 'D3', 3, opportunity('Prospecting', { AccountId: 'A2' })),
    );
    const images = await imagesOn(now.log, now.topics);
    expect([...images].map(([key, image]) => [key, (image as { account_id: unknown }).account_id])).toEqual([
      ['account A2', null],
      ['deal D1', 'A2'],
      ['deal D2', 'A2'],
      ['deal D3', 'A2'],
    ]);
  }, 60_000);
});
