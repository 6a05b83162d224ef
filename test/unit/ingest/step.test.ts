import { beforeEach, describe, expect, it } from 'vitest';
import { loadContracts } from '../../../schemas/contracts.ts';
import type { Change, Intake } from '../../../src/ingest/change.ts';
import { closeImport, type IngestContext, ingestChange } from '../../../src/ingest/step.ts';
import { type Overlay, overlayOn } from '../../../src/log/overlay.ts';

const contracts = loadContracts();
const context: IngestContext = {
  contracts,
  imagesPartitionOf: (key) => (key === 'A2' ? 1 : 0),
  imagesPartitions: 2,
  pinnedValue: (_, set, constraint, fields) => (set === 's' && constraint === 'c' ? `${fields.discount_pct}` : null),
};
const live: Intake = { kind: 'live', atMs: 5_000 };

describe('ingest step', () => {
  let state: Overlay;
  let offset = 0;
  beforeEach(() => {
    state = overlayOn({ get: () => undefined, range: () => [] });
    offset = 0;
  });
  const take = (change: Partial<Change>, intake: Intake = live, redriveOf: string | null = null) =>
    ingestChange(
      state,
      {
        change: {
          eventId: `e${offset}`,
          entity: 'deal',
          id: 'D1',
          version: String(offset + 1),
          changedAt: 1_000,
          op: 'upsert',
          fields: {},
          cleared: [],
          ...change,
        } as Change,
        intake,
        origin: { topic: 't', partition: 3, offset: offset++ },
        redriveOf,
      },
      context,
    );

  it('emits the whole image: every field that is known', () => {
    const { images } = take({ accountId: 'A1', fields: { stage: 'won', amount: 7 } });
    expect(images).toHaveLength(1);
    expect(images[0]).toMatchObject({
      key: 'A1',
      partition: 0,
      image: {
        kind: 'image',
        imageSeq: 1,
        at: 5_000,
        lane: 'live',
        changed: ['account_id', 'amount', 'stage'],
        lacking: [],
      },
    });
    const image = images[0]?.image;
    if (image?.kind !== 'image') throw new Error('no image');
    expect(image).toMatchObject({ id: 'D1', accountId: 'A1' });
    expect(image.fields).toEqual({ stage: 'won', amount: 7 });
  });

  it('takes the time of an import from the change', () => {
    const { images } = take({ fields: { stage: 'won' } }, { kind: 'import', importId: 'i1' });
    expect(images[0]?.image).toMatchObject({ at: 1_000, lane: 'i1', accountId: null });
    expect(images[0]?.key).toBe('D1');
  });

  it('says what an incomplete image lacks', () => {
    expect(take({ fields: { amount: 7 } }).images[0]?.image).toMatchObject({ lacking: ['stage'] });
  });

  it('moves a deal: detached under the old key, whole under the new one', () => {
    take({ accountId: 'A1', fields: { stage: 'won' } });
    const { images } = take({ accountId: 'A2' });
    expect(images.map(({ key, partition, image }) => [key, partition, image.kind])).toEqual([
      ['A1', 0, 'detached'],
      ['A2', 1, 'image'],
    ]);
    expect(images.map(({ image }) => (image.kind === 'lane_closed' ? 0 : image.imageSeq))).toEqual([2, 3]);
    expect(take({ accountId: 'A2', fields: {} }).images).toHaveLength(1);
    expect(take({ fields: { stage: 'lost' } }).images[0]).toMatchObject({ key: 'A2' });
  });

  it('ends a deleted entity under its last key', () => {
    take({ accountId: 'A1', fields: { stage: 'won' } });
    expect(take({ op: 'delete' }).images).toMatchObject([{ key: 'A1', image: { kind: 'deleted', imageSeq: 2 } }]);
    expect(take({ op: 'delete' })).toEqual({ images: [], dropped: 'nothing_to_delete' });
    expect(take({ fields: { stage: 'won' } }).images).toMatchObject([{ key: 'D1', image: { imageSeq: 3 } }]);
  });

  it('chains the inputs of each images partition', () => {
    const previous = (result: ReturnType<typeof take>) => result.images.map(({ image }) => image.origin.previous);
    expect(previous(take({ accountId: 'A1', fields: { stage: 'won' } }))).toEqual([null]);
    expect(previous(take({ id: 'D2', accountId: 'A2', fields: { stage: 'won' } }))).toEqual([null]);
    expect(previous(take({ accountId: 'A2' }))).toEqual([0, 1]);
  });

  it('pins what a waived constraint reads', () => {
    take({ fields: { stage: 'won', discount_pct: 35, close_date: 20_000 } });
    const waiver = { set: 's', constraint: 'c', by: 'ann', role: 'vp', grantedAt: 0, until: 9 };
    const { images } = take({ op: 'waive', waiver });
    expect(images[0]?.image).toMatchObject({
      changed: [],
      waivers: [{ ...waiver, value: '35' }],
    });
    expect(() => take({ op: 'waive', waiver: { ...waiver, constraint: 'x' } })).toThrow(
      expect.objectContaining({ code: 'PLB-WAIVER-UNKNOWN' }),
    );
    expect(take({ op: 'revoke', waiver: { set: 's', constraint: 'c' } }).images[0]?.image).toMatchObject({
      waivers: [],
    });
    expect(take({ id: 'D9', op: 'waive', waiver }).dropped).toBe('no_entity');
  });

  it('refuses a live change of the future', () => {
    const far = { changedAt: 5_000 + 5 * 60_000 + 1, fields: { stage: 'won' } };
    expect(() => take(far)).toThrow(expect.objectContaining({ code: 'PLB-CHANGE-FUTURE' }));
    expect(take(far, { kind: 'import', importId: 'i' }).images).toHaveLength(1);
  });

  it('takes a redriven record once', () => {
    expect(take({ fields: { stage: 'won' } }, live, 't/0/1').images).toHaveLength(1);
    expect(take({ fields: { stage: 'lost' } }, live, 't/0/1').dropped).toBe('redriven');
  });

  it('tells every images partition that an import is through, once', () => {
    const origin = { topic: 't', partition: 3, offset: 9 };
    expect(closeImport(state, 'i1', origin, context).images.map(({ partition }) => partition)).toEqual([0, 1]);
    expect(closeImport(state, 'i1', origin, context).images).toEqual([]);
  });
});
