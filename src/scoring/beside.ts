import type { CompiledSet } from '../compiler/compile.ts';
import { SetFault } from '../compiler/set-fault.ts';
import type { ActiveSet, Candidate } from './active-set.ts';
import type { Result } from './result.ts';
import type { Run } from './run.ts';
import type { Answer, Subject } from './score.ts';
import type { LastAnswer } from './scored-entity.ts';
import { tallyKey } from './state-keys.ts';
import { FAULT, MAX_MOVERS, type Mover, noTally, type Tally } from './tally.ts';

type Beside = NonNullable<LastAnswer['beside']>;

/**
 * Asks the other of two versions about the same image, and counts what both say. Nothing of it is published.
 * @param published what one of them answered
 */
export function compare(
  run: Run,
  { active }: ActiveSet,
  candidate: Candidate,
  subject: Subject,
  published: Answer | null,
  last: Beside | undefined,
): Beside | undefined {
  const before = last?.since === candidate.since ? last : undefined;
  const answerOf = (set: CompiledSet): Answer | SetFault => {
    if (published?.result.set_version === set.version) return published;
    try {
      return run.answer(set, subject);
    } catch (error) {
      if (error instanceof SetFault) return error;
      throw error;
    }
  };
  const [baseline, asked] = [answerOf(active), answerOf(candidate.set)];
  // Where the active version faults there is nothing to stand beside.
  if (baseline instanceof SetFault) return before;
  const base = baseline.result;
  const other = asked instanceof SetFault ? null : asked.result;
  const pair = `${base.posture}>${other?.posture ?? FAULT}`;
  change(run, active.name, candidate.set.version, (tally) => {
    const { entity, id } = subject;
    const unknown = other?.outcomes.filter(({ outcome }) => outcome === 'unknown').length ?? 0;
    const others = moversBut(tally, subject);
    const to = other?.posture ?? FAULT;
    const isNamed = base.posture !== to && others.length < MAX_MOVERS;
    return {
      ...moved(tally, before, pair),
      answers: tally.answers + 1,
      faults: tally.faults + (other === null ? 1 : 0),
      outcomes: tally.outcomes + (other?.outcomes.length ?? 0),
      unknown: tally.unknown + unknown,
      cost: Math.max(tally.cost, asked instanceof SetFault ? 0 : asked.steps),
      movers: isNamed ? [...others, { entity, id, from: base.posture, to, because: whyOf(base, asked) }] : others,
    };
  });
  return { since: candidate.since, pair };
}

/** The entity is gone: it stands nowhere any more. */
export function forget(run: Run, set: string, gone: Pick<Subject, 'entity' | 'id'>, beside: Beside | undefined): void {
  const candidate = run.control.sets[gone.entity].find(({ active }) => active.name === set)?.candidate;
  if (beside === undefined || candidate?.since !== beside.since) return;
  change(run, set, candidate.set.version, (tally) => ({
    ...moved(tally, beside, null),
    movers: moversBut(tally, gone),
  }));
}

const moversBut = ({ movers }: Tally, { entity, id }: Pick<Subject, 'entity' | 'id'>): readonly Mover[] =>
  movers.filter((mover) => mover.entity !== entity || mover.id !== id);

function moved(tally: Tally, before: Beside | undefined, pair: string | null): Tally {
  const pairs: { [pair: string]: number } = { ...tally.pairs };
  if (before !== undefined) pairs[before.pair] = (pairs[before.pair] ?? 0) - 1;
  if (pair !== null) pairs[pair] = (pairs[pair] ?? 0) + 1;
  for (const [name, count] of Object.entries(pairs)) if (count <= 0) delete pairs[name];
  return { ...tally, pairs };
}

const whyOf = (base: Result, asked: Answer | SetFault): readonly string[] =>
  asked instanceof SetFault ? [asked.code] : differing(base, asked.result);

/** Constraints whose outcome differs between the two. */
function differing(base: Result, other: Result): readonly string[] {
  const outcomes = new Map(base.outcomes.map(({ constraint, outcome }) => [constraint, outcome]));
  const changed = other.outcomes.filter(({ constraint, outcome }) => outcomes.get(constraint) !== outcome);
  const kept = new Set(other.outcomes.map(({ constraint }) => constraint));
  const gone = base.outcomes.filter(({ constraint }) => !kept.has(constraint));
  return [...changed, ...gone].map(({ constraint }) => constraint);
}

/** What this step has counted already, else what is kept. */
function tallyNow(run: Run, set: string): Tally | null {
  const text = run.state.get(tallyKey(set));
  return run.tallies.get(set) ?? (text === undefined ? null : (JSON.parse(text) as Tally));
}

function change(run: Run, set: string, version: string, next: (tally: Tally) => Tally): void {
  const known = tallyNow(run, set);
  const tally = known?.version === version ? known : noTally(version);
  run.tallies.set(set, { ...next(tally), seq: tally.seq + 1 });
}
