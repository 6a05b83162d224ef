import type { EndedImage, WholeImage } from '../../src/ingest/image.ts';
import { type Storage, taskIn } from '../../src/log/simulated/storage.ts';
import { activeOf, type ControlState, NO_SET, type SetState, targetOf } from '../../src/rollout/control-state.ts';
import { readGuards, worstOf } from '../../src/rollout/guards.ts';
import type { Policy } from '../../src/rollout/policy.ts';
import { isInCanary } from '../../src/scoring/canary.ts';
import { decodeJob } from '../../src/scoring/job.ts';
import type { Result } from '../../src/scoring/result.ts';
import { faultsKey, JOB_KEY, tallyKey } from '../../src/scoring/state-keys.ts';
import { addTallies, FAULT, noTally, type Tally } from '../../src/scoring/tally.ts';
import { evidenceIn, fakePosture, faultsAtOf, looksAtAccount } from './fake-set.ts';
import { type Check, isBy, type Left, presentEntities } from './invariants.ts';
import type { Step } from './rollout-log.ts';
import { ROLLED, ROLLED_SETS } from './rollout-setting.ts';
import { PARTITIONS, topics } from './world.ts';

interface Answering {
  readonly version: string;
  readonly fallback: string | null;
}

/** Who answers for an account as of a point of the control log; null: nobody. */
function answeringOf(set: SetState, key: string): Answering | null {
  const active = activeOf(set);
  if (active === null || set.isStopped) return null;
  const { rollout } = set;
  const isIn =
    rollout?.phase === 'canary' &&
    isInCanary(rollout.version, key, {
      share: rollout.share,
      pinned: new Set(rollout.pinned),
      excluded: new Set(rollout.excluded),
    });
  return isIn ? { version: rollout.version, fallback: active } : { version: active, fallback: targetOf(set) };
}

const stateAt = (steps: readonly Step[], offset: number): ControlState | undefined => steps[offset - 1]?.after;

/** Each answer is by the version that answers for its account, or by the one beneath where that one faults. */
export function checkAnswering({ results, letters }: Left, steps: readonly Step[], check: Check): void {
  for (const { result } of results) {
    const set = stateAt(steps, result.control_offset ?? 0)?.sets.get(result.set) ?? NO_SET;
    const answering = answeringOf(set, result.account_id ?? result.id);
    const where = `${result.id} ${result.set} at fact ${result.control_offset}`;
    const { fallback_from: from } = result;
    if (from === undefined)
      check(answering?.version === result.set_version, 'answering', `${where}: ${result.set_version}`);
    else
      check(
        answering?.version === from.set_version && answering.fallback === result.set_version,
        'answering',
        `${where}: ${result.set_version} for ${from.set_version}`,
      );
  }
  for (const reason of letters)
    if (reason?.failed)
      check(
        canFail(steps, reason.failed.set, reason.failed.setVersion),
        'one-answer',
        `${reason.failed.id} ${reason.failed.set}: a dead letter, though another version can answer`,
      );
}

/** Whether a version once stood without another beneath that answers where it faults. */
function canFail(steps: readonly Step[], set: string, version: string): boolean {
  const faultsAt = faultsAtVersion(version);
  return steps.some(({ after }) => {
    const state = after.sets.get(set) ?? NO_SET;
    const beneath = activeOf(state) === version ? [targetOf(state)] : [];
    if (state.rollout?.phase === 'canary' && state.rollout.version === version) beneath.push(activeOf(state));
    return beneath.some((other) => other === null || faultsAtVersion(other) === faultsAt);
  });
}

function faultsAtVersion(version: string): number | undefined {
  const set = ROLLED.get(version);
  return set === undefined ? undefined : faultsAtOf(set);
}

/** Of each set on each entity, the last answer. */
export function lastAnswers({ results }: Pick<Left, 'results'>): ReadonlyMap<string, Result> {
  const last = new Map<string, Result>();
  for (const { result } of results)
    last.set(`${result.account_id} ${result.entity}/${result.id} ${result.set}`, result);
  return last;
}

export type Present = WholeImage & { readonly kind: 'image' };

export const presentIn = ({ images }: Pick<Left, 'images'>): readonly Present[] =>
  [...presentEntities(images).values()].filter(
    (image: WholeImage | EndedImage): image is Present => image.kind === 'image' && image.lacking.length === 0,
  );

/** In the end what stands is by who answers for its account, and of what the entity and its account are now. */
export function checkStanding(left: Left, state: ControlState, check: Check): void {
  const last = lastAnswers(left);
  const present = presentIn(left);
  const employeesOf = employeesIn(present);
  for (const image of present)
    for (const name of ROLLED_SETS[image.entity]) {
      if (left.failed.has(`${image.id} ${name}`)) continue;
      const answering = answeringOf(state.sets.get(name) ?? NO_SET, image.accountId ?? image.id);
      if (answering === null) continue;
      const result = last.get(`${image.accountId} ${image.entity}/${image.id} ${name}`);
      check(isBy(result, answering.version), 'sweep', `${image.id} ${name} has ${result?.set_version}`);
      if (result === undefined || image.entity === 'account') continue;
      const { amount, employees } = evidenceIn(result);
      check(amount === numberOf(image.fields.amount), 'fresh', `${image.id} ${name}: amount ${amount}`);
      const now = employeesOf.get(image.accountId ?? '') ?? null;
      if (looksAtAccount(result.set_version))
        check(employees === now, 'fresh', `${image.id} ${name}: ${employees} employees, there are ${now}`);
    }
}

/** By account. */
const employeesIn = (present: readonly Present[]): ReadonlyMap<string, number | null> =>
  new Map(
    present.flatMap(({ entity, id, fields }) =>
      entity === 'account' ? [[id, numberOf(fields.employees)] as const] : [],
    ),
  );

const numberOf = (value: unknown): number | null => (typeof value === 'number' ? value : null);

const scoreState = (storage: Storage, partition: number) =>
  taskIn(storage, { stage: 'score', topic: topics.images, partition }).state;

const sumOf = (storage: Storage, set: string, version: string): Tally =>
  addTallies(
    version,
    Array.from({ length: PARTITIONS }, (_, partition) => scoreState(storage, partition).get(tallyKey(set))).map(
      (text) => (text === undefined ? noTally(version) : (JSON.parse(text) as Tally)),
    ),
  );

/** In the end, how entities stand under a version on its way is counted exactly, pair by pair. */
export function checkTallies(storage: Storage, left: Left, state: ControlState, check: Check): void {
  const last = lastAnswers(left);
  // What became incomplete stands where it stood, if it stood anywhere.
  if ([...presentEntities(left.images).values()].some((image) => image.kind === 'image' && image.lacking.length > 0))
    return;
  for (const [name, set] of state.sets) {
    const { rollout } = set;
    const base = activeOf(set);
    if (rollout === null || rollout.phase === 'proposed' || base === null || set.isStopped) continue;
    // Where the active version faults as well there is nothing to stand beside.
    if (faultsAtVersion(base) !== undefined || name === 'renewal') continue;
    const pairs = new Map<string, number>();
    const present = presentIn(left);
    const employeesOf = employeesIn(present);
    for (const image of present) {
      const result = last.get(`${image.accountId} ${image.entity}/${image.id} ${name}`);
      if (image.entity !== 'deal' || result === undefined) continue;
      // A version that doesn't look at the account says nothing new of one that has changed.
      const evidence = { ...evidenceIn(result), employees: employeesOf.get(image.accountId ?? '') ?? null };
      const isLate = evidence.next !== null && evidence.next <= Date.parse(result.now);
      const isFault = evidence.amount !== null && evidence.amount === faultsAtVersion(rollout.version);
      const to = isFault ? FAULT : fakePosture(rollout.version, evidence, isLate);
      const pair = `${fakePosture(base, evidence, isLate)}>${to}`;
      pairs.set(pair, (pairs.get(pair) ?? 0) + 1);
    }
    const told = sumOf(storage, name, rollout.version).pairs;
    check(
      JSON.stringify([...pairs].sort()) === JSON.stringify(Object.entries(told).sort()),
      'tally',
      `${rollout.version} on ${base}: ${JSON.stringify([...pairs])}, told ${JSON.stringify(told)}`,
    );
  }
}

/** In the end nothing is on its way that a guard fails, nothing active that faults again and again, nothing half gone back. */
export function checkGuarded(storage: Storage, state: ControlState, policy: Policy, check: Check): void {
  for (const [name, set] of state.sets) {
    const { rollout, rollback } = set;
    check(rollback === null, 'rolled-back', `${name}: the rollback to ${rollback?.to} is never complete`);
    if (set.isStopped) continue;
    if (rollout !== null && rollout.phase !== 'proposed') {
      const readings = readGuards(policy.guards, sumOf(storage, name, rollout.version), rollout.moves);
      check(worstOf(readings) !== 'fail', 'guard', `${rollout.version} goes on: ${JSON.stringify(readings)}`);
    }
    const active = activeOf(set);
    if (active === null) continue;
    let faults = 0;
    for (let partition = 0; partition < PARTITIONS; partition++)
      faults += Number(scoreState(storage, partition).get(faultsKey(name, active)) ?? 0);
    check(faults < policy.activeFaults, 'guard', `${active} is active after ${faults} faults`);
  }
}

/** When a rollback is said to be complete, every entity's last answer is by the version that was gone back to. */
export function checkAcknowledged(
  storage: Storage,
  left: Left,
  steps: readonly Step[],
  step: Step,
  check: Check,
): void {
  const { fact, before } = step;
  if (fact.kind !== 'acknowledged') return;
  const { rollback } = before.sets.get(fact.set) ?? NO_SET;
  const since = steps.slice((rollback?.offset ?? 0) + 1).filter((later) => later.fact.set === fact.set);
  // Something else was decided since: another version is answering by right.
  if (since.some(({ fact: { kind } }) => kind === 'activated' || kind === 'canaried' || kind === 'stopped')) return;
  for (let partition = 0; partition < PARTITIONS; partition++) {
    const text = scoreState(storage, partition).get(JOB_KEY);
    const job = text === undefined ? null : decodeJob(text);
    const isIts = job?.kind === 'sweep' && job.cause.kind === 'rollback' && job.set === fact.set;
    check(!isIts, 'rolled-back', `score ${partition} is still at it`);
  }
  const last = lastAnswers(left);
  for (const image of presentIn(left)) {
    const result = last.get(`${image.accountId} ${image.entity}/${image.id} ${fact.set}`);
    if (result === undefined || left.failed.has(`${image.id} ${fact.set}`)) continue;
    check(isBy(result, fact.version), 'rolled-back', `${image.id} ${fact.set} has ${result.set_version} still`);
  }
}
