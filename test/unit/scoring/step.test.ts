import { beforeEach, describe, expect, it } from 'vitest';
import { loadContracts } from '../../../schemas/contracts.ts';
import type { Change, Intake } from '../../../src/ingest/change.ts';
import { closeImport, type IngestContext, ingestChange } from '../../../src/ingest/step.ts';
import { type Overlay, overlayOn } from '../../../src/log/overlay.ts';
import type { ActiveSet } from '../../../src/scoring/active-set.ts';
import { ONLY_ASKED } from '../../../src/scoring/canary.ts';
import { tallyKey } from '../../../src/scoring/state-keys.ts';
import {
  controlOffsetIn,
  fireDue,
  hasJob,
  nextDue,
  resumeJob,
  type ScoreContext,
  type Scored,
  scoreImage,
  sweepOn,
  sweepsIn,
  takeFact,
} from '../../../src/scoring/step.ts';
import type { Tally } from '../../../src/scoring/tally.ts';
import { fakeAnswer, fakeSet } from '../../simulation/fake-set.ts';

const contracts = loadContracts();
const fail = (): never => {
  throw new Error('there is no sweep');
};
const empty = () => overlayOn({ get: () => undefined, range: () => [] });
const ingestContext: IngestContext = {
  contracts,
  imagesPartitionOf: () => 0,
  imagesPartitions: 1,
  pinnedValue: () => '{}',
};

describe('scoring step', () => {
  let ingest: Overlay;
  let state: Overlay;
  let offset: number;
  let deals: ActiveSet[];
  let accounts: ActiveSet[];
  let seen: string[];
  let isShed = false;
  beforeEach(() => {
    ingest = empty();
    state = empty();
    offset = 0;
    deals = [{ active: fakeSet('d', 'deal', 'a1'), fallback: null }];
    accounts = [{ active: fakeSet('a', 'account', 'a1'), fallback: null }];
    seen = [];
  });
  const context: ScoreContext = {
    contracts,
    answer: fakeAnswer,
    controlAt: (at) => ({ offset: at, sets: { deal: deals, account: accounts } }),
    ingestPartitions: 1,
    shedsShadow: () => isShed,
  };

  /** What a step gave, in short: `d/D1 change critical` is a result, `d/D1 healthy→watch` a posture change. */
  function tell(scored: Scored): string[] {
    const lines = scored.outputs.map((output) => {
      if (output.kind === 'failed') return `${output.failure.set}/${output.failure.id} failed ${output.failure.code}`;
      if (output.kind === 'posture') {
        const { set, id, from, to } = output.change;
        return `${set}/${id} ${from}→${to}`;
      }
      if (output.kind === 'move') return `${output.change.id} moves to ${output.change.accountId}`;
      const { set, id, cause, now, fallback_from: fallback } = output.answer.result;
      return `${set}/${id} ${cause.kind}${cause.kind === 'due' ? ` ${Date.parse(now)}` : ''}${fallback ? ' fallback' : ''}`;
    });
    seen.push(...lines);
    return lines;
  }

  function change(entity: 'deal' | 'account', id: string, at: number, more: object, intake?: Intake): string[] {
    const input = {
      change: {
        eventId: `e${offset}`,
        entity,
        id,
        version: String(offset + 1),
        changedAt: at,
        op: 'upsert',
        fields: {},
        cleared: [],
        ...more,
      } as Change,
      intake: intake ?? ({ kind: 'live', atMs: at } as const),
      origin: { topic: 't', partition: 0, offset: offset++ },
      redriveOf: null,
    };
    return ingestChange(ingest, input, ingestContext).images.flatMap(({ image }) =>
      through(scoreImage(state, image, offset, context)),
    );
  }
  const deal = (id: string, at: number, fields: object, more: object = {}) =>
    change('deal', id, at, { accountId: 'A', fields: { stage: 'won', ...fields }, ...more });

  function through(scored: Scored): string[] {
    const lines = tell(scored);
    return hasJob(state) ? [...lines, ...through(resumeJob(state, 0, context))] : lines;
  }

  /** All that sweeps do, so many entities at a time. */
  function swept(most = 100): string[] {
    const scored = sweepOn(state, 0, context, most);
    return scored === null ? [] : [...tell(scored), ...swept(most)];
  }

  it('answers a change and publishes a posture at first sight and when it moves', () => {
    expect(deal('D1', 0, { amount: 0 })).toEqual(['d/D1 change', 'd/D1 null→healthy']);
    expect(deal('D1', 1, { amount: 3 })).toEqual(['d/D1 change']);
    expect(deal('D1', 2, { amount: 1 })).toEqual(['d/D1 change', 'd/D1 healthy→watch']);
  });

  it('counts who stands elsewhere under a version on its way, as long as they are there', () => {
    deals = [
      {
        active: fakeSet('d', 'deal', 'a1'),
        fallback: null,
        candidate: { set: fakeSet('d', 'deal', 'b1'), since: 0, ...ONLY_ASKED },
      },
    ];
    const tally = (): Tally => JSON.parse(state.get(tallyKey('d')) ?? '{}');
    const named = () => tally().movers.map(({ id, from, to }) => `${id} ${from}>${to}`);
    change('account', 'A', 0, { fields: { employees: 1 } });
    deal('D1', 1, { amount: 0 });
    deal('D2', 2, { amount: 0 });
    expect(tally().pairs).toEqual({ 'watch>healthy': 2 });
    expect(named()).toEqual(['D1 watch>healthy', 'D2 watch>healthy']);
    change('deal', 'D1', 3, { op: 'delete' });
    expect(tally().pairs).toEqual({ 'watch>healthy': 1 });
    expect(named()).toEqual(['D2 watch>healthy']);
  });

  it('names on whom a version on its way faults, and with which code', () => {
    const candidate = { set: fakeSet('d', 'deal', 'b1', 7), since: 0, ...ONLY_ASKED };
    deals = [{ active: fakeSet('d', 'deal', 'a1'), fallback: null, candidate }];
    deal('D1', 0, { amount: 7 });
    const { movers, faults } = JSON.parse(state.get(tallyKey('d')) ?? '{}') as Tally;
    expect({ movers, faults }).toMatchObject({
      movers: [{ id: 'D1', to: 'fault', because: ['PLB-FAULT-COST'] }],
      faults: 1,
    });
  });

  describe('a version on its way', () => {
    let shadow: number;
    /** It looks at the account, which the active one doesn't. */
    const beside = (share: number): ActiveSet[] => [
      {
        active: fakeSet('d', 'deal', 'b1', undefined, []),
        fallback: null,
        candidate: { set: fakeSet('d', 'deal', 'a1'), since: shadow, ...ONLY_ASKED, share },
      },
    ];
    const alone = (): ActiveSet[] => beside(0).map(({ active, fallback }) => ({ active, fallback }));
    const pairs = () => (JSON.parse(state.get(tallyKey('d')) ?? '{}') as Partial<Tally>).pairs;
    const take = (kind: 'shadowed' | 'aborted' | 'activated', version: string) => {
      through(takeFact(state, { kind, set: 'd', version, at: 9, by: 'x' }, 0, context));
      swept();
    };
    beforeEach(() => {
      shadow = 5;
      deals = alone();
      change('account', 'A', 0, { fields: { employees: 1 } });
      for (const id of ['D1', 'D2', 'D3']) deal(id, 1, { amount: 0 });
      deals = beside(0);
      take('shadowed', 'a1');
    });

    it('is counted in full again when it was given up before', () => {
      expect(pairs()).toEqual({ 'healthy>watch': 3 });
      deals = alone();
      take('aborted', 'a1');
      expect(pairs()).toBe(undefined);
      shadow = 8;
      deals = beside(0);
      through(takeFact(state, { kind: 'shadowed', set: 'd', version: 'a1', at: 9, by: 'x' }, 0, context));
      // An image that comes before the sweep.
      deal('D1', 10, { amount: 3 });
      swept();
      expect(pairs()).toEqual({ 'healthy>watch': 3 });
    });

    it('keeps its counts when the active one is activated once more', () => {
      take('activated', 'b1');
      expect(pairs()).toEqual({ 'healthy>watch': 3 });
    });

    it('is asked anew when the account changes that it alone looks at, and answers where it is its turn', () => {
      expect(change('account', 'A', 10, { fields: { employees: 2 } })).toEqual(['a/A change']);
      expect(pairs()).toEqual({ 'healthy>healthy': 3 });
      deals = beside(1);
      expect(change('account', 'A', 11, { fields: { employees: 3 } })).toEqual([
        'a/A change',
        ...['D1', 'D2', 'D3'].flatMap((id) => [`d/${id} account_change`, `d/${id} healthy→watch`]),
      ]);
      expect(pairs()).toEqual({ 'healthy>watch': 3 });
    });
  });

  it('tells what moved, with message and fix', () => {
    deal('D1', 0, { amount: 0 });
    const input = {
      eventId: 'x',
      entity: 'deal' as const,
      id: 'D1',
      version: '9',
      changedAt: 1,
      op: 'upsert' as const,
      fields: { amount: 2, owner: 'ann' },
      cleared: [],
    };
    const { images } = ingestChange(
      ingest,
      {
        change: input,
        intake: { kind: 'live', atMs: 1 },
        origin: { topic: 't', partition: 0, offset: offset++ },
        redriveOf: null,
      },
      ingestContext,
    );
    const image = images[0]?.image;
    if (image === undefined) throw new Error('no image');
    const posture = scoreImage(state, image, 7, context).outputs.find((output) => output.kind === 'posture');
    expect(posture).toMatchObject({
      key: 'A',
      change: {
        from: 'healthy',
        to: 'at_risk',
        owner: 'ann',
        amount: 2,
        image_seq: 2,
        moved: [{ constraint: 'amount', from: 'satisfied', to: 'violated', message: 'amount 2', fix: 'raise it' }],
      },
    });
  });

  it('drops a repeat, and alarms on a gap in the chain', () => {
    const image = (seq: number, at: number, previous: number | null) => ({
      kind: 'image' as const,
      entity: 'deal' as const,
      id: 'D1',
      accountId: 'A',
      version: '1',
      imageSeq: seq,
      at: 0,
      lane: 'live',
      eventId: 'e',
      origin: { topic: 't', partition: 0, offset: at, previous },
      fields: {},
      changed: [],
      waivers: [],
      lacking: [],
    });
    expect(scoreImage(state, image(1, 4, null), 0, context).counts).toMatchObject({ results: 1, repeats: 0, gaps: 0 });
    expect(scoreImage(state, image(1, 4, null), 0, context).counts).toMatchObject({ results: 0, repeats: 1 });
    expect(scoreImage(state, image(1, 6, 4), 0, context).counts).toMatchObject({ results: 0, stale: 1, gaps: 0 });
    expect(scoreImage(state, image(2, 9, 7), 0, context).counts).toMatchObject({ results: 1, gaps: 1 });
  });

  it('answers what is due before an image, with the due time as now', () => {
    deal('D1', 0, { amount: 0, next_step_at: 60_000 });
    expect(nextDue(state)).toBe(60_000);
    expect(deal('D1', 90_000, { amount: 1 })).toEqual([
      'd/D1 due 60000',
      'd/D1 healthy→watch',
      'd/D1 change',
      'd/D1 watch→at_risk',
    ]);
    expect(nextDue(state)).toBe(null);
  });

  it("answers an account's deals that are due before its image, and then those that it moves", () => {
    change('account', 'A', 0, { fields: { employees: 1 } });
    deal('D2', 0, { next_step_at: 50_000 });
    deal('D1', 0, { next_step_at: 60_000 });
    deal('D3', 0, { next_step_at: 99_000 });
    expect(change('account', 'A', 70_000, { fields: { employees: 2 } })).toEqual([
      'd/D1 due 60000',
      'd/D1 watch→at_risk',
      'd/D2 due 50000',
      'd/D2 watch→at_risk',
      'a/A change',
      'd/D1 account_change',
      'd/D1 at_risk→watch',
      'd/D2 account_change',
      'd/D2 at_risk→watch',
      'd/D3 account_change',
      'd/D3 watch→healthy',
    ]);
    expect(change('account', 'A', 71_000, { fields: { name: 'not read' } })).toEqual(['a/A change']);
  });

  it('rescores the deals when their account comes or goes', () => {
    deal('D1', 0, {});
    expect(change('account', 'A', 1, { fields: { name: 'x' } })).toEqual([
      'a/A change',
      'a/A null→healthy',
      'd/D1 account_change',
    ]);
    expect(change('account', 'A', 2, { op: 'delete' })).toEqual(['a/A healthy→null', 'd/D1 account_change']);
  });

  it('ends postures of what was deleted or moved away, and none that was never scored', () => {
    deal('D1', 0, { amount: 1, next_step_at: 60_000 });
    expect(change('deal', 'D1', 5, { accountId: 'B' })).toEqual(['d/D1 watch→null', 'd/D1 change', 'd/D1 null→watch']);
    expect(change('deal', 'D1', 6, { op: 'delete' })).toEqual(['d/D1 watch→null']);
    expect(nextDue(state)).toBe(null);
    change('deal', 'D9', 0, { fields: { amount: 1 } });
    expect(change('deal', 'D9', 1, { op: 'delete' })).toEqual([]);
  });

  it('keeps an incomplete image without scoring it', () => {
    expect(change('deal', 'D1', 0, { fields: { amount: 1 } })).toEqual([]);
    expect(deal('D1', 1, {}, { accountId: undefined })).toEqual(['d/D1 change', 'd/D1 null→watch']);
  });

  it('scores under the fallback what faults, and dead-letters only that set when both fault', () => {
    const steady = { active: fakeSet('e', 'deal', 'a1'), fallback: null };
    deals = [{ active: fakeSet('d', 'deal', 'b2', 7), fallback: fakeSet('d', 'deal', 'a1') }, steady];
    expect(deal('D1', 0, { amount: 7 })).toEqual([
      'd/D1 change fallback',
      'd/D1 null→watch',
      'e/D1 change',
      'e/D1 null→watch',
    ]);
    deals = [{ active: fakeSet('d', 'deal', 'b2', 8), fallback: fakeSet('d', 'deal', 'a1', 8) }, steady];
    expect(deal('D1', 1, { amount: 8 })).toEqual(['d/D1 failed PLB-FAULT-COST', 'e/D1 change', 'e/D1 watch→at_risk']);
    expect(state.get('f\u0001d\u0001b2')).toBe('2');
  });

  it('cuts a fan-out into commits and goes on where it was', () => {
    change('account', 'A', 0, { fields: { employees: 1 } });
    for (let i = 0; i < 1201; i++) deal(`D${String(i).padStart(4, '0')}`, 1, {});
    seen = [];
    const commits = change('account', 'A', 2, { fields: { employees: 2 } });
    expect(commits.filter((line) => line.endsWith('account_change'))).toHaveLength(1201);
    expect(new Set(commits).size).toBe(commits.length);
    expect(hasJob(state)).toBe(false);
  });

  it('sweeps everything of a kind when a version becomes active, and redrives one', () => {
    deal('D1', 0, {});
    deal('D2', 0, {});
    change('account', 'A', 0, {});
    const fact = { kind: 'activated' as const, set: 'd', version: 'b2', at: 5, by: 'test' };
    deals = [{ active: fakeSet('d', 'deal', 'b2'), fallback: null }];
    expect(through(takeFact(state, fact, 0, context))).toEqual([]);
    expect(swept()).toEqual(['d/D1 sweep', 'd/D2 sweep']);
    expect(controlOffsetIn(state)).toBe(1);
    const redrive = {
      kind: 'redrive' as const,
      id: 'r',
      entity: 'deal' as const,
      entityId: 'D2',
      set: null,
      at: 6,
      by: 'test',
    };
    expect(through(takeFact(state, redrive, 0, context))).toEqual(['d/D2 redrive']);
  });

  it('sweeps beside the records, each entity once, and begins anew with the next version', () => {
    const ids = Array.from({ length: 10 }, (_, i) => `D${i}`);
    for (const id of ids) deal(id, 0, {});
    const activate = (version: string): string[] => {
      deals = [{ active: fakeSet('d', 'deal', version), fallback: null }];
      return through(takeFact(state, { kind: 'activated', set: 'd', version, at: 5, by: 'test' }, 0, context));
    };
    expect(activate('b1')).toEqual([]);
    expect(tell(sweepOn(state, 0, context, 3) ?? fail())).toEqual(['d/D0 sweep', 'd/D1 sweep', 'd/D2 sweep']);
    expect(sweepsIn(state)).toMatchObject([{ set: 'd', done: 3 }]);
    // Who changes meanwhile has been answered by the new version, and is left alone.
    expect(deal('D4', 6, { amount: 0 })).toEqual(['d/D4 change']);
    expect(tell(sweepOn(state, 0, context, 2) ?? fail())).toEqual(['d/D3 sweep', 'd/D5 sweep']);
    expect(activate('c1')).toEqual([]);
    expect(swept(4)).toEqual(ids.map((id) => `d/${id} sweep`));
    expect(sweepsIn(state)).toEqual([]);
    expect(sweepOn(state, 0, context, 4)).toBeNull();
  });

  it('withdraws a version before anything else, and ends its sweep', () => {
    for (const id of ['D1', 'D2']) deal(id, 0, {});
    deals = [{ active: fakeSet('d', 'deal', 'b1'), fallback: null }];
    through(takeFact(state, { kind: 'activated', set: 'd', version: 'b1', at: 5, by: 'test' }, 0, context));
    expect(tell(sweepOn(state, 0, context, 1) ?? fail())).toEqual(['d/D1 sweep']);
    deals = [{ active: fakeSet('d', 'deal', 'a1'), fallback: null }];
    const back = { kind: 'rolled_back' as const, set: 'd', version: 'a1', at: 6, by: 'test' };
    expect(through(takeFact(state, back, 0, context))).toEqual(['d/D1 rollback']);
    expect(swept()).toEqual([]);
  });

  it('asks a version on its way about what stands, within the sweep that is under way', () => {
    for (const id of ['D1', 'D2', 'D3']) deal(id, 0, { amount: 0 });
    const b1 = { active: fakeSet('d', 'deal', 'b1'), fallback: null };
    deals = [b1];
    through(takeFact(state, { kind: 'activated', set: 'd', version: 'b1', at: 5, by: 'test' }, 0, context));
    expect(tell(sweepOn(state, 0, context, 1) ?? fail())).toEqual(['d/D1 sweep']);
    deals = [{ ...b1, candidate: { set: fakeSet('d', 'deal', 'c1'), since: 0, ...ONLY_ASKED } }];
    const asked = (): number => (JSON.parse(state.get(tallyKey('d')) ?? '{"answers":0}') as Tally).answers;
    through(takeFact(state, { kind: 'shadowed', set: 'd', version: 'c1', at: 6, by: 'test' }, 0, context));
    expect(swept()).toEqual(['d/D2 sweep', 'd/D3 sweep']);
    expect(asked()).toBe(3);
    // Nobody is asked about twice for nothing.
    through(takeFact(state, { kind: 'shadowed', set: 'd', version: 'c1', at: 7, by: 'test' }, 0, context));
    expect(swept()).toEqual([]);
  });

  it('lets a version in its shadow wait while it must, and asks it by a sweep afterwards', () => {
    const a1 = { active: fakeSet('d', 'deal', 'a1'), fallback: null };
    deals = [{ ...a1, candidate: { set: fakeSet('d', 'deal', 'b1'), since: 0, ...ONLY_ASKED } }];
    const pairs = (): object => (JSON.parse(state.get(tallyKey('d')) ?? '{}') as Tally).pairs;
    for (const id of ['D1', 'D2']) deal(id, 0, { amount: 0 });
    expect(pairs()).toEqual({ 'healthy>healthy': 2 });
    isShed = true;
    expect(deal('D1', 1, { amount: 1 })).toEqual(['d/D1 change', 'd/D1 healthy→watch']);
    // Where it would stand is not known: it is not counted as it stood before.
    expect(pairs()).toEqual({ 'healthy>healthy': 1 });
    isShed = false;
    expect(swept()).toEqual([]);
    expect(pairs()).toEqual({ 'healthy>healthy': 1, 'watch>watch': 1 });
    expect(sweepsIn(state)).toEqual([]);
  });

  it('ends the postures of a retired set, cut into commits, and scores the others on', () => {
    deals = ['d', 'e'].map((name) => ({ active: fakeSet(name, 'deal', 'a1'), fallback: null }));
    const ids = Array.from({ length: 1201 }, (_, i) => `D${String(i).padStart(4, '0')}`);
    for (const id of ids) deal(id, 1, { amount: 1, next_step_at: 60_000 });
    const [kept] = deals;
    if (kept === undefined) throw new Error('no set');
    deals = [kept];
    const fact = { kind: 'retired' as const, set: 'e', at: 5, by: 'test' };
    const first = takeFact(state, fact, 0, context);
    expect([first.outputs.length, first.isUnfinished]).toEqual([500, true]);
    expect(first.outputs[0]).toMatchObject({
      key: 'A',
      change: { set: 'e', to: null, cause: { kind: 'retired', id: 'control-0' }, now: '1970-01-01T00:00:00.005Z' },
    });
    expect([...tell(first), ...through(resumeJob(state, 0, context))]).toEqual(ids.map((id) => `e/${id} watch→null`));
    expect(hasJob(state)).toBe(false);
    expect(deal('D0000', 6, { amount: 0 })).toEqual(['d/D0000 change', 'd/D0000 watch→healthy']);
    expect(nextDue(state)).toBe(60_000);
    // Brought back, it begins anew.
    deals = ['d', 'e'].map((name) => ({ active: fakeSet(name, 'deal', 'a1'), fallback: null }));
    expect(deal('D0001', 7, { name: 'x' })).toContain('e/D0001 null→watch');
  });

  it('fires due times by the wall clock, but not of an import that is still open', () => {
    const fields = { stage: 'won', next_step_at: 60_000 };
    change('deal', 'D1', 0, { accountId: 'A', fields }, { kind: 'import', importId: 'i' });
    expect(nextDue(state)).toBe(null);
    deal('D2', 0, { next_step_at: 70_000 });
    expect(nextDue(state)).toBe(70_000);
    expect(tell(fireDue(state, 65_000, 0, context))).toEqual([]);
    const closing = closeImport(ingest, 'i', { topic: 't', partition: 0, offset: offset++ }, ingestContext);
    for (const { image } of closing.images) through(scoreImage(state, image, offset, context));
    expect(nextDue(state)).toBe(60_000);
    expect(tell(fireDue(state, 80_000, 0, context))).toEqual([
      'd/D1 due 60000',
      'd/D1 healthy→watch',
      'd/D2 due 70000',
      'd/D2 healthy→watch',
    ]);
    expect(nextDue(state)).toBe(null);
  });
});
