import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { decodeIncident } from '../../../consumers/incidents.ts';
import type { CompiledSet } from '../../../src/compiler/compile.ts';
import { activeOf } from '../../../src/rollout/control-state.ts';
import { isInShare } from '../../../src/scoring/canary.ts';
import { reproduce } from '../../../src/scoring/reproduce.ts';
import type { Result } from '../../../src/scoring/result.ts';
import { jsonWire } from '../../../src/wire/json-wire.ts';
import { scratchDirectory, until } from '../../support/cli.ts';
import { openTestCluster, reasonWithoutKafka, type TestCluster } from '../../support/kafka.ts';
import { notAnsweredOnce } from '../../support/one-answer.ts';
import { recordsOf } from '../../support/rescore.ts';
import { type RolloutRig, startRollouts } from '../../support/rollout-on-kafka.ts';
import { shippedSets } from '../../support/test-worker.ts';
import type { Step } from '../../support/worker-processes.ts';

const reason = reasonWithoutKafka();
const SET = 'deal-desk';
const BOB = { set: SET, by: 'bob' };
const EVIDENCE = `sha256:${'0'.repeat(64)}`;

const numbered = (prefix: string, count: number): readonly string[] =>
  Array.from({ length: count }, (_, index) => `${prefix}${index}`);
const ACCOUNTS = numbered('A', 40);
/** Several of some accounts, and some of none, which count as accounts of their own. */
const DEALS = [...numbered('D', 60), ...numbered('S', 6)];
const accountOf = (deal: string): string | null =>
  deal.startsWith('S') ? null : (ACCOUNTS[Number(deal.slice(1)) % ACCOUNTS.length] ?? null);

const OFFER = { stage: 'proposal', discount_pct: 5, approvals: [], contacts: [], amount: 100, list_price: 100 };

const edited = (edit: (text: string) => string): CompiledSet => {
  const found = shippedSets((text) => (text.includes(`\nname: ${SET}\n`) ? edit(text) : text)).find(
    ({ name }) => name === SET,
  );
  if (found === undefined) throw new Error(`${SET} does not ship`);
  return found;
};
const sets = shippedSets();
const baseline = edited((text) => text);

describe.skipIf(reason !== null)(`a rollout over three workers on Kafka${reason === null ? '' : `: ${reason}`}`, () => {
  const scratch = scratchDirectory();
  let cluster: TestCluster;
  let rig: RolloutRig | null = null;
  beforeAll(async () => {
    cluster = await openTestCluster();
  }, 300_000);
  afterEach(async () => {
    await rig?.end();
    rig = null;
  });
  afterAll(async () => {
    await cluster.stop();
    scratch.remove();
  });

  async function start(policy: readonly string[]): Promise<RolloutRig> {
    const started = await startRollouts(cluster.brokers, scratch.path, sets, policy);
    rig = started;
    await started.change('account', ACCOUNTS, (id) => ({ fields: { name: id, open_p1: 0 } }));
    await offer(started);
    await started.untilAnswered();
    return started;
  }

  it('loses and doubles nothing where a worker is killed in each step, the one that decides in most', async () => {
    const candidate = edited((text) =>
      text.replace('rep_discount: { type: double, default: 10', 'rep_discount: { type: double, default: 8'),
    );
    expect(candidate.version).not.toBe(baseline.version);
    const all = await start([
      'shadow: { min_answers: 50, min_duration: 0s }',
      // More than what changes in the first step gives by itself: it must not go on while its share is looked at.
      'canary: { min_answers: 150, min_duration: 0s, steps: [0.3, 0.6], min_accounts: 2 }',
      'guards:',
      '  - { metric: fault_share, at_most: 0, min_answers: 10 }',
      '  - { metric: unexpected_moves, at_most: 0, min_answers: 10 }',
    ]);
    const { workers } = all;
    const { version } = candidate;
    const asked = { ...BOB, version };
    const phase = async () => (await all.state()).sets.get(SET)?.rollout;
    const answersWith = (share: number) =>
      until(`${share} of the accounts are answered by it`, async () => isShared(await all.results(), candidate, share));

    await killingDecider(all, 'sending', () => all.propose(candidate, 'bob'));
    await killingAnother(all, () =>
      all.ask({ ...asked, kind: 'record_validation', evidence: EVIDENCE, verdict: 'pass' }),
    );
    await killingDecider(all, 'ended', () => all.approve(candidate, baseline.version, EVIDENCE));
    await killingDecider(all, 'offsets', () => all.ask({ ...asked, kind: 'shadow' }));
    await expect.poll(phase, SOON).toMatchObject({ phase: 'shadow', approvals: [{ by: 'ann' }] });
    await killingAnother(all, () =>
      offering(all, 'the canary', async () => (await all.ask({ ...asked, kind: 'promote' })).outcome === 'accepted'),
    );
    await expect.poll(phase, SOON).toMatchObject({ phase: 'canary', step: 1, share: 0.3 });
    await answersWith(0.3);
    // Nobody asks for the second step: it follows from what the tasks tell.
    await killingDecider(all, 'sent', () => offering(all, 'the next step', async () => (await phase())?.step === 2));
    await answersWith(0.6);
    await killingDecider(all, 'sending', () =>
      offering(all, 'active', async () => (await all.ask({ ...asked, kind: 'promote' })).outcome === 'accepted'),
    );
    await answersWith(1);
    await killingAnother(all, () => all.ask({ ...BOB, kind: 'roll_back' }));
    await answersWith(0);
    await until('every task has gone back', async () => (await all.facts()).at(-1)?.value.kind === 'acknowledged');
    expect(workers.counts.kills).toBeGreaterThanOrEqual(8);

    const state = await all.state();
    const deskNow = state.sets.get(SET);
    expect(deskNow).toMatchObject({ stack: [baseline.version], rollout: null, rollback: null, isStopped: false });
    expect([...state.sets.values()].map(activeOf).sort()).toEqual(sets.map((set) => set.version).sort());
    expect(await kindsOf(all)).toEqual([
      ...sets.map(() => 'activated'),
      'proposed',
      'validated',
      'approved',
      'shadowed',
      'canaried',
      'canaried',
      'activated',
      'rolled_back',
      'acknowledged',
    ]);
    await expectWhole(all, [...sets, candidate]);
  }, 300_000);

  it('is taken back within ten seconds of a fault in its canary, and who it faulted on has the baseline’s answer', async () => {
    const bad = edited((text) => text.replace('\nexamples:\n', `\n${FAULTS_ON_MANY_CONTACTS}\nexamples:\n`));
    const all = await start([
      'shadow: { min_answers: 50, min_duration: 0s }',
      'canary: { min_answers: 50, min_duration: 0s, steps: [0.5], min_accounts: 2 }',
      'guards: [{ metric: fault_share, at_most: 0, min_answers: 10 }]',
    ]);
    const { version } = bad;
    const asked = { ...BOB, version };
    await all.propose(bad, 'bob');
    await all.ask({ ...asked, kind: 'record_validation', evidence: EVIDENCE, verdict: 'pass' });
    await all.approve(bad, baseline.version, EVIDENCE);
    await all.ask({ ...asked, kind: 'shadow' });
    await offering(
      all,
      'the canary',
      async () => (await all.ask({ ...asked, kind: 'promote' })).outcome === 'accepted',
    );
    await until('its canary', async () => isShared(await all.results(), bad, 0.5));

    const isIn = (deal: string): boolean => isInShare(version, accountOf(deal) ?? deal, 0.5);
    const faulting = new Set([...DEALS.filter(isIn).slice(0, 8), ...DEALS.filter((deal) => !isIn(deal)).slice(0, 4)]);
    const sound = DEALS.filter((deal) => !faulting.has(deal));
    const changed = all.changed.length;
    // Others change meanwhile, and these again: some before the version is taken back, some after.
    await until('every task has gone back', async () => {
      await Promise.all([offer(all, [...faulting], MANY_CONTACTS), offer(all, sound)]);
      await sleep(OFFER_MS);
      return (await kindsOf(all)).at(-1) === 'acknowledged';
    });
    await all.untilAnswered();

    const facts = await all.facts();
    const [back, ...others] = facts.filter(({ value }) => value.kind === 'rolled_back');
    expect([back?.value, others]).toEqual([
      expect.objectContaining({
        set: SET,
        version: baseline.version,
        by: 'controller',
        reason: expect.stringContaining('fault_share'),
      }),
      [],
    ]);
    const events = new Set(all.changed.slice(changed));
    const onFaulting = (await all.results()).filter(
      ({ value: { set, id, cause } }) =>
        set === SET && faulting.has(id) && cause.kind === 'change' && events.has(cause.event_id),
    );
    const firstFault = Math.min(...onFaulting.map(({ at }) => at));
    const acknowledged = facts.at(-1);
    expect((acknowledged?.at ?? Number.NaN) - firstFault).toBeLessThanOrEqual(10_000);

    // A task that had not taken the fact yet asked the version, and gave what the baseline says.
    const taken = facts.findIndex(({ value }) => value.kind === 'rolled_back');
    for (const { value } of onFaulting) {
      expect(value.set_version).toBe(baseline.version);
      const wasAsked = isIn(value.id) && (value.control_offset ?? 0) <= taken;
      expect(value.fallback_from).toEqual(
        wasAsked ? expect.objectContaining({ set_version: version, code: 'PLB-FAULT-COST' }) : undefined,
      );
    }
    expect(onFaulting.filter(({ value }) => value.fallback_from !== undefined).length).toBeGreaterThanOrEqual(8);
    expect(onFaulting.filter(({ value }) => value.fallback_from === undefined).length).toBeGreaterThanOrEqual(8);
    expect(isShared(await all.results(), bad, 0)).toBe(true);

    const told = async (topic: string) => (await recordsOf(all.log, topic)).flat();
    const taking = { outcome: 'rolled_back', from: version, to: baseline.version };
    expect((await told(all.topics.rollbacks)).map((record) => jsonWire.rollback.decode(record))).toMatchObject([
      { set: SET, body: taking },
    ]);
    expect((await told(all.topics.incidents)).map((record) => decodeIncident(record))).toMatchObject([
      { set: SET, ...taking },
    ]);
    await expectWhole(all, [...sets, bad]);
  }, 300_000);
});

/** Every contact with every other two: more steps than a set may take where there are fifty. */
const FAULTS_ON_MANY_CONTACTS = `  - id: contacts-agree
    title: Contacts agree with each other
    severity: low
    weight: 1
    require: >
      has(deal.contacts) && deal.contacts.all(a, deal.contacts.all(b, deal.contacts.all(c,
        a.is_executive || b.is_executive || !c.is_executive)))
    on_missing: unknown
    message: contacts disagree
    owner: deal-desk`;
const MANY_CONTACTS = {
  ...OFFER,
  contacts: Array.from({ length: 50 }, () => ({ name: 'Jo', title: 'Buyer', role: 'buyer', is_executive: false })),
};

/** Changes every deal; a deal that is told apart has other fields. */
const offer = (rig: RolloutRig, deals = DEALS, fields: object = OFFER): Promise<void> =>
  rig.change('deal', deals, (id) => ({ account_id: accountOf(id) ?? undefined, fields }));

const OFFER_MS = 200;
/** Markers of one transaction don't reach all of its partitions at once. */
const SOON = { timeout: 10_000 };

/** Changes deals until something holds: a phase needs answers of its own. */
const offering = (rig: RolloutRig, what: string, holds: () => Promise<boolean>): Promise<void> =>
  until(what, async () => {
    await offer(rig);
    await sleep(OFFER_MS);
    return holds();
  });

/** Kills the worker whose task decides, at a step of its next transaction, while something is asked and deals change. */
async function killingDecider(rig: RolloutRig, step: Step, work: () => Promise<unknown>): Promise<void> {
  const { decider } = await rig.whoDecides();
  const { kills } = rig.workers.counts;
  rig.workers.arm(decider, step);
  await Promise.all([work(), offer(rig), until('it is killed', async () => rig.workers.counts.kills > kills)]);
}

/** Kills another worker amid what follows from an answer. */
async function killingAnother(rig: RolloutRig, work: () => Promise<unknown>): Promise<void> {
  const { other } = await rig.whoDecides();
  const { kills } = rig.workers.counts;
  await Promise.all([work(), offer(rig)]);
  rig.workers.kill(other);
  await until('it is killed', async () => rig.workers.counts.kills > kills);
}

function isShared(
  results: Awaited<ReturnType<RolloutRig['results']>>,
  { version }: CompiledSet,
  share: number,
): boolean {
  const last = new Map(
    results.filter(({ value }) => value.set === SET).map(({ value }) => [value.id, value.set_version]),
  );
  return DEALS.every((deal) => {
    const isIn = isInShare(version, accountOf(deal) ?? deal, share);
    return last.get(deal) === (isIn ? version : baseline.version);
  });
}

const kindsOf = async (rig: RolloutRig): Promise<readonly string[]> =>
  (await rig.facts()).map(({ value }) => value.kind);

/** What holds after any rollout. */
async function expectWhole(rig: RolloutRig, versions: readonly CompiledSet[]): Promise<void> {
  await rig.untilAnswered();
  const given = async () => (await rig.results()).map(({ value }) => value);
  await expect.poll(async () => notAnsweredOnce(await rig.images(), await given(), sets), SOON).toEqual([]);
  expect((await recordsOf(rig.log, rig.topics.deadLetters)).flat()).toEqual([]);
  expect((await rig.images()).map(({ kind }) => kind)).toEqual(rig.changed.map(() => 'image'));
  expect((await given()).filter((result) => !isReproducible(versions, result))).toEqual([]);
  const answered = async () => (await rig.answers()).map(({ value }) => value.request).sort();
  await expect.poll(answered, SOON).toEqual(rig.asked.toSorted());
  const { code, stdout } = await rig.verifyControl();
  expect([code, stdout]).toEqual([0, expect.stringMatching(/^\d+ facts, \d+ sealed: all as they were\n$/)]);
  expect(rig.workers.complaints).toEqual([]);
}

const isReproducible = (versions: readonly CompiledSet[], result: Result): boolean => {
  const set = versions.find(({ version }) => version === result.set_version);
  return set !== undefined && reproduce(set, result).difference === null;
};
