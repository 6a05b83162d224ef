import { createHash } from 'node:crypto';
import type { CompiledSet } from '../../src/compiler/compile.ts';
import { SetFault } from '../../src/compiler/set-fault.ts';
import { formatInstant } from '../../src/language/contract.ts';
import { POSTURES, type Posture } from '../../src/scoring/posture.ts';
import type { Outcome, Result } from '../../src/scoring/result.ts';
import type { Answer, AnswerFn, Subject } from '../../src/scoring/score.ts';

/**
 * A set small enough to be predicted: its answer depends on `amount`, on `next_step_at` (due when it is reached), on
 * the account's `employees` (see `looksAtAccount`), on its version and on the previous band. A version of `m` puts
 * amounts below 3 one posture further.
 * @param faultsAt the amount at which it faults
 * @param accountReads what it says that it reads of the account
 */
export function fakeSet(
  name: string,
  entity: 'deal' | 'account',
  version: string,
  faultsAt?: number,
  accountReads: readonly string[] = entity === 'deal' ? ['employees'] : [],
): CompiledSet {
  const set = {
    name,
    entity,
    version,
    accountReads: new Set(accountReads),
    waiverReads: new Map(),
    fixes: new Map([['amount', 'raise it']]),
    faultsAt,
  };
  return set as unknown as CompiledSet;
}

export const faultsAtOf = (set: CompiledSet): number | undefined => (set as unknown as { faultsAt?: number }).faultsAt;

export interface Evidence {
  readonly amount: number | null;
  readonly next: number | null;
  readonly employees: number | null;
  readonly hasAccount: boolean;
}

export const fakeAnswer: AnswerFn = (set, subject): Answer => {
  const amount = numberOf(subject.fields.amount);
  if (amount !== null && amount === faultsAtOf(set)) throw new SetFault('PLB-FAULT-COST', 'planted');
  const next = numberOf(subject.fields[set.entity === 'deal' ? 'next_step_at' : 'last_call_at']);
  const evidence: Evidence = {
    amount,
    next,
    employees: numberOf(subject.account?.employees),
    hasAccount: subject.account !== null,
  };
  const result = describeFake(set, subject, evidence);
  const dueAt = next !== null && next > subject.now ? Math.ceil(next / 1000) * 1000 : null;
  return { result, json: JSON.stringify(result), dueAt, steps: 0 };
};

/** Versions of every second letter are the same for each account. */
export const looksAtAccount = (version: string): boolean => version.charCodeAt(0) % 2 === 1;

const numberOf = (value: unknown): number | null => (typeof value === 'number' ? value : null);

type Asked = Pick<Evidence, 'amount' | 'employees'>;

function fakeLevel(version: string, { amount, employees }: Asked, isLate: boolean): number {
  const ofAccount = looksAtAccount(version) ? (employees ?? 0) % 2 : 0;
  const isMoved = version.startsWith('m') && amount !== null && amount < 3;
  return ((amount ?? 0) % 3) + (isLate ? 1 : 0) + ofAccount + (isMoved ? 1 : 0);
}

const postureAt = (level: number): Posture => POSTURES[Math.min(level, 3)] ?? 'critical';

/** What a version says of an image. */
export const fakePosture = (version: string, asked: Asked, isLate: boolean): Posture =>
  postureAt(fakeLevel(version, asked, isLate));

function describeFake(
  set: { readonly name: string; readonly version: string },
  subject: Omit<Subject, 'fields' | 'account' | 'waivers'>,
  evidence: Evidence,
): Result {
  const late = evidence.next !== null && evidence.next <= subject.now;
  const level = fakeLevel(set.version, evidence, late);
  const posture = postureAt(level);
  const outcome = (violated: boolean): Outcome => (violated ? 'violated' : 'satisfied');
  const unhashed: Omit<Result, 'hash'> = {
    entity: subject.entity,
    id: subject.id,
    account_id: subject.accountId,
    version: subject.version,
    image_seq: subject.imageSeq,
    cause: subject.cause,
    set: set.name,
    set_version: set.version,
    now: formatInstant(subject.now),
    score: 100 - level * 10,
    coverage: 1,
    band: posture,
    posture,
    previous_band: subject.previousBand,
    previous_posture: subject.previousPosture,
    outcomes: [
      { constraint: 'amount', outcome: outcome((evidence.amount ?? 0) % 3 > 0), message: `amount ${evidence.amount}` },
      { constraint: 'next', outcome: outcome(late) },
    ],
    evidence: { account: null, params: { fake: JSON.stringify(evidence) }, waivers: [] },
    ...(subject.fallbackFrom === undefined ? {} : { fallback_from: subject.fallbackFrom }),
  };
  return { ...unhashed, hash: createHash('sha256').update(JSON.stringify(unhashed)).digest('hex') };
}

export const evidenceIn = (result: Result): Evidence => JSON.parse(String(result.evidence.params.fake)) as Evidence;

/** The result again, from its evidence and its set's version alone (reproducible). */
export function recomputeFake(result: Result): Result {
  const evidence = evidenceIn(result);
  return describeFake(
    { name: result.set, version: result.set_version },
    {
      entity: result.entity,
      id: result.id,
      accountId: result.account_id,
      version: result.version,
      imageSeq: result.image_seq,
      cause: result.cause,
      now: Date.parse(result.now),
      previousBand: result.previous_band,
      previousPosture: result.previous_posture,
      ...(result.fallback_from === undefined ? {} : { fallbackFrom: result.fallback_from }),
    },
    evidence,
  );
}
