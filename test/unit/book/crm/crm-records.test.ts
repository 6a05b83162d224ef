import { describe, expect, it } from 'vitest';
import { CRM_TELLERS, type Crm } from '../../../../src/book/crm/crm-records.ts';
import { DEFAULT_BOOK_UNTIL, generateHistory } from '../../../../src/book/generate-book.ts';
import { bookMapping, CRMS, changesOf, comparable, DECODERS, imagesOf } from '../../../support/crm-pipeline.ts';
import { contracts } from '../../../support/test-worker.ts';

const OPTIONS = { seed: 7, until: DEFAULT_BOOK_UNTIL, accounts: 60, deals: 250 };
const history = [...generateHistory(OPTIONS)];
const tell = (crm: Crm, seed = 7) => [...CRM_TELLERS[crm](seed, history, contracts)];
const told = Object.fromEntries(CRMS.map((crm) => [crm, tell(crm)])) as { [C in Crm]: ReturnType<typeof tell> };
const canonical = imagesOf(comparable(history));

type Json = { readonly [name: string]: unknown };
const valuesOf = (crm: Crm): readonly Json[] =>
  told[crm].flatMap(({ value }) => (value === null ? [] : [value as Json]));

describe.each(CRMS)('the book as %s tells it', (crm) => {
  it('is the same for the same seed, and another for another', () => {
    expect(tell(crm)).toEqual(told[crm]);
    expect(tell(crm, 8)).not.toEqual(told[crm]);
  });

  it('gives the images of the history, field by field', () => {
    const mapping = bookMapping(crm);
    const images = imagesOf(told[crm].flatMap(({ value }) => changesOf(mapping, value)));
    expect(images.size).toBeGreaterThan(250);
    expect([...images.keys()]).toEqual([...canonical.keys()]);
    for (const [key, image] of canonical) expect([key, images.get(key)]).toEqual([key, image]);
  });

  it('comes more than once in places', () => {
    const bytes = told[crm].map(({ value }) =>
      JSON.stringify(value, (name, item) => (name.startsWith('attempt') ? 0 : item)),
    );
    const repeated = bytes.length - new Set(bytes).size;
    expect(repeated / bytes.length).toBeGreaterThan(0.001);
    expect(repeated / bytes.length).toBeLessThan(0.2);
  });
});

describe('the compared history', () => {
  it('leaves out waivers and lists, and nothing else', () => {
    const left = comparable(history);
    expect(left.some(({ op }) => op === 'delete')).toBe(true);
    expect(history.some(({ op }) => op === 'waive')).toBe(true);
    expect(left.some(({ op }) => op === 'waive' || op === 'revoke')).toBe(false);
    const names = (changes: typeof history) =>
      new Set(
        changes.flatMap((change) => (change.op === 'upsert' ? [...Object.keys(change.fields), ...change.cleared] : [])),
      );
    expect([...names(history)].filter((name) => !names(left).has(name)).sort()).toEqual(['approvals', 'contacts']);
  });
});

describe('Salesforce', () => {
  interface Told {
    readonly replayId: number;
    readonly payload: { readonly ChangeEventHeader: { readonly [name: string]: unknown } };
  }
  const events = valuesOf('salesforce').flatMap((value) =>
    Array.isArray(value) ? value : [value],
  ) as unknown as Told[];
  const headers = events.map(({ payload }) => payload.ChangeEventHeader);
  const lists = headers.map(({ changedFields }) => changedFields as string[]);

  it('tells all kinds of events', () => {
    expect(new Set(headers.map(({ changeType }) => changeType))).toEqual(new Set(['CREATE', 'UPDATE', 'DELETE']));
    expect(lists.some((list) => list.some((item) => /^0x/.test(item)))).toBe(true);
    expect(lists.some((list) => list.some((item) => /^[A-Z]\w+$/.test(item)))).toBe(true);
    expect(headers.some(({ nulledFields }) => (nulledFields as string[]).length > 0)).toBe(true);
    expect(headers.some(({ recordIds }) => (recordIds as string[]).length > 1)).toBe(true);
    expect(headers.some(({ sequenceNumber }) => sequenceNumber === 2)).toBe(true);
    expect(valuesOf('salesforce').some(Array.isArray)).toBe(true);
  });
  it('has the ids of 18 characters that end in their check', () => {
    const [id = ''] = headers.flatMap(({ recordIds }) => recordIds as string[]);
    expect(id).toMatch(/^00[16]Dp0{4,5}\d{5,6}[A-Z0-5]{3}$/);
  });
  it('comes in order but for what is repeated', () => {
    const seen = new Set<number>();
    let last = 0;
    for (const { replayId } of events) {
      // Events of one transaction may share it.
      if (!seen.has(replayId)) expect(replayId).toBeGreaterThan(last);
      seen.add(replayId);
      last = Math.max(last, replayId);
    }
  });
});

describe('HubSpot', () => {
  const requests = valuesOf('hubspot') as unknown as readonly (readonly Json[])[];
  it('comes in arrays of under 100, out of order, with retries', () => {
    expect(Math.max(...requests.map(({ length }) => length))).toBeLessThan(100);
    expect(requests.some(({ length }) => length > 1)).toBe(true);
    const times = requests.flatMap((request) => request.map(({ occurredAt }) => Number(occurredAt)));
    expect(times.some((time, index) => time < (times[index - 1] ?? 0))).toBe(true);
    expect(requests.some((request) => request.some(({ attemptNumber }) => Number(attemptNumber) > 0))).toBe(true);
  });
  it('has one property an event, and associations apart', () => {
    const events = requests.flat();
    const types = new Set(events.map(({ subscriptionType }) => subscriptionType));
    expect([...types].sort()).toEqual([
      'company.creation',
      'company.deletion',
      'company.propertyChange',
      'deal.associationChange',
      'deal.creation',
      'deal.deletion',
      'deal.propertyChange',
    ]);
    expect(events.some(({ associationRemoved }) => associationRemoved === true)).toBe(true);
    expect(events.some(({ propertyValue }) => propertyValue === '')).toBe(true);
  });
});

describe('Pipedrive', () => {
  it('has the whole record, and what it had before', () => {
    const metas = valuesOf('pipedrive').map(({ meta }) => meta as Json);
    expect(new Set(metas.map(({ action }) => action))).toEqual(new Set(['create', 'change', 'delete']));
    expect(new Set(metas.map(({ attempt }) => attempt))).toEqual(new Set([1, 2, 3, 4]));
    for (const { data, previous, meta } of valuesOf('pipedrive')) {
      const { action } = meta as Json;
      expect(data === null).toBe(action === 'delete');
      expect(previous === null).toBe(action === 'create');
      if (action === 'change')
        expect(Object.keys(previous as Json).length).toBeLessThan(Object.keys(data as Json).length);
    }
  });
});

describe('Debezium', () => {
  it('has a snapshot, then the stream, with tombstones behind deletes', () => {
    const ops = told.debezium.map(({ value }) => (value === null ? 'tombstone' : ((value as Json).payload as Json).op));
    const stream = ops.findIndex((op) => op !== 'r');
    expect(stream).toBeGreaterThan(20);
    expect(ops.slice(stream)).not.toContain('r');
    expect(new Set(ops)).toEqual(new Set(['r', 'c', 'u', 'd', 'tombstone']));
    for (const [index, op] of ops.entries()) if (op === 'd') expect(['tombstone', 'd']).toContain(ops[index + 1]);
  });
  it('says which key its tombstones are of', () => {
    for (const { key, value } of told.debezium)
      if (value !== null) expect((key as { payload: Json }).payload.id).toBe(idIn((value as Json).payload as Json));
  });
  const idIn = ({ after, before }: Json): unknown => ((after ?? before) as Json).id;
});

it('is read by decoders without a failure', () => {
  for (const crm of CRMS)
    for (const { value } of told[crm]) {
      const bytes = value === null ? null : Buffer.from(JSON.stringify(value));
      const record = { topic: 't', partition: 0, offset: 0, key: null, value: bytes, headers: {}, timestampMs: 0 };
      expect(DECODERS[crm](record).failures).toEqual([]);
    }
});
