import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CRM_TELLERS } from '../../../src/book/crm/crm-records.ts';
import { generateHistory } from '../../../src/book/generate-book.ts';
import { createPrng, type Prng } from '../../../src/book/prng.ts';
import type { Change } from '../../../src/ingest/change.ts';
import { exportsOf, syncChanges } from '../../support/crm-exports.ts';
import { bookMapping, CRMS, changesOf, comparable, imagesOf } from '../../support/crm-pipeline.ts';
import { contracts } from '../../support/test-worker.ts';

/** Decode, map, merge: whatever the order, the repetition and the batching, one history gives one set of images. */

const UNTIL = Date.UTC(2026, 6, 1);
const YEAR_MS = 365 * 86_400_000;
const HISTORIES = [3, 4].map((seed) => {
  const history = hasty([...generateHistory({ seed, until: UNTIL, accounts: 4, deals: 12 })]);
  return { seed, history, images: [...imagesOf(comparable(history))] };
});

/** Some changes are made over within the same second. */
function hasty(history: readonly Change[]): Change[] {
  return history.flatMap((change, index): Change[] => {
    const made = { ...change, version: `${change.version}1` };
    if (change.op !== 'upsert' || index % 4 !== 0) return [made];
    const fields = Object.fromEntries(
      Object.entries(change.fields).map(([name, value]) => [name, typeof value === 'number' ? value + 1 : value]),
    );
    return [{ ...change, eventId: `${change.eventId}-hasty`, version: `${change.version}0`, fields }, made];
  });
}

function shuffled<T>(list: readonly T[], prng: Prng): T[] {
  const mixed = [...list];
  for (let at = mixed.length - 1; at > 0; at--) {
    const other = prng.int(0, at);
    const [a, b] = [mixed[at] as T, mixed[other] as T];
    mixed[at] = b;
    mixed[other] = a;
  }
  return mixed;
}

/** In lists of any length, one alone as it is; all these formats take lists. */
function batched(events: readonly unknown[], prng: Prng, most: number): unknown[] {
  const records: unknown[] = [];
  for (let from = 0; from < events.length; ) {
    const size = prng.int(1, most);
    const batch = events.slice(from, from + size);
    records.push(batch.length === 1 ? batch[0] : batch);
    from += size;
  }
  return records;
}

/** Prints as its seed. */
const historyAt = (index: number): History => {
  const history = HISTORIES[index] as History;
  return Object.defineProperty({ ...history }, fc.toStringMethod, { value: () => `history of seed ${history.seed}` });
};
type History = (typeof HISTORIES)[number];

const delivery = fc.record({
  history: fc.nat(HISTORIES.length - 1).map(historyAt),
  order: fc.nat(),
  /** How far an event may be from its place; all the way where it is large. */
  reach: fc.constantFrom(1, 5, 50, 100_000),
  repeated: fc.constantFrom(0, 0.02, 0.5),
  batch: fc.constantFrom(1, 3, 99),
});

describe.each(CRMS)('%s', (crm) => {
  const mapping = bookMapping(crm);
  const told = new Map(
    HISTORIES.map(({ seed, history }) => [
      seed,
      [...CRM_TELLERS[crm](seed, history, contracts)].flatMap(
        ({ value }) => (Array.isArray(value) ? value : [value]) as unknown[],
      ),
    ]),
  );

  const delivered = ({
    history,
    order,
    reach,
    repeated,
    batch,
  }: typeof delivery extends fc.Arbitrary<infer T> ? T : never) => {
    const prng = createPrng(order, crm);
    const events = told.get(history.seed) ?? [];
    const twice = [...events, ...events.filter(() => prng.chance(repeated))];
    const placed = twice.map((event, index) => ({ event, at: (index % events.length) + prng.int(0, reach) }));
    const mixed = shuffled(placed, prng).sort((a, b) => a.at - b.at);
    return batched(
      mixed.map(({ event }) => event),
      prng,
      batch,
    );
  };

  it('gives the same images in any order, with any repetition, in any batches', () => {
    fc.assert(
      fc.property(delivery, (how) => {
        const changes = delivered(how).flatMap((value) => changesOf(mapping, value));
        expect([...imagesOf(changes)]).toEqual(how.history.images);
      }),
      { numRuns: 25 },
    );
  }, 120_000);

  it('gives the same images with a full export cut in anywhere', async () => {
    const cut = fc.record({
      how: delivery,
      share: fc.double({ min: 0.02, max: 1, noNaN: true }),
      at: fc.double({ min: 0, max: 1, noNaN: true }),
    });
    await fc.assert(
      fc.asyncProperty(cut, async ({ how, share, at }) => {
        const { seed, history, images } = how.history;
        const exportedAt = Math.floor((UNTIL - YEAR_MS + share * YEAR_MS) / 1_000) * 1_000;
        const rows = await syncChanges(mapping, exportsOf(crm, seed, history, exportedAt), exportedAt);
        const stream = delivered(how).flatMap((value) => changesOf(mapping, value));
        const place = Math.floor(at * stream.length);
        expect([...imagesOf([...stream.slice(0, place), ...rows, ...stream.slice(place)])]).toEqual(images);
      }),
      { numRuns: 25 },
    );
  }, 120_000);

  it('is mended by an export where the stream lost what happened until then', async () => {
    const loss = fc.record({
      how: delivery,
      share: fc.double({ min: 0.02, max: 1, noNaN: true }),
      lost: fc.constantFrom(0.1, 0.5, 1),
    });
    await fc.assert(
      fc.asyncProperty(loss, async ({ how, share, lost }) => {
        const { seed, history, images } = how.history;
        const exportedAt = Math.floor((UNTIL - YEAR_MS + share * YEAR_MS) / 1_000) * 1_000;
        const prng = createPrng(how.order, 'loss');
        // Which company a deal belongs to HubSpot's exports don't tell, and none tells what is gone.
        const left = delivered(how)
          .flatMap((value) => changesOf(mapping, value))
          .filter(({ op, changedAt }) => op !== 'upsert' || changedAt > exportedAt - 1_000 || !prng.chance(lost));
        const rows = await syncChanges(mapping, exportsOf(crm, seed, history, exportedAt), exportedAt);
        expect([...imagesOf(prng.chance(0.5) ? [...left, ...rows] : [...rows, ...left])]).toEqual(images);
      }),
      { numRuns: 25 },
    );
  }, 120_000);

  it('has all that an export had when it was made, from that alone', async () => {
    for (const { seed, history, images } of HISTORIES) {
      const rows = await syncChanges(mapping, exportsOf(crm, seed, history, UNTIL), UNTIL);
      // Deals and companies come apart in HubSpot, also in its exports.
      const plain = (all: readonly (readonly [string, object])[]) =>
        crm === 'hubspot' ? all.map(([key, image]) => [key, { ...image, account_id: null }]) : all;
      expect(plain([...imagesOf(rows)])).toEqual(plain(images));
    }
  });
});
