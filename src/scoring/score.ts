import { hash } from 'node:crypto';
import type { CompiledSet } from '../compiler/compile.ts';
import { SATISFIED, STEPS, UNKNOWN, VIOLATED } from '../compiler/emit-set.ts';
import { type Environment, evaluateOnly, isMissing } from '../compiler/interpret.ts';
import { SetFault } from '../compiler/set-fault.ts';
import type { Waiver } from '../ingest/image.ts';
import type { CheckedConstraint } from '../language/checked-set.ts';
import type { EntityKind, Fields } from '../language/contract.ts';
import { nextDue } from './due.ts';
import { applicableWaivers, evidenceOf, instantText, resolveParam, waiverValue } from './evidence.ts';
import { coverageOf, judge, makeVerdict, outcomeName, type ValidWaiver, type Verdict, WAIVED } from './judge.ts';
import type { Posture } from './posture.ts';
import type { Cause, OutcomeLine, Result } from './result.ts';

/** All that an answer depends on, besides the set. Fields are decoded; instants are milliseconds. */
export interface Subject {
  readonly entity: EntityKind;
  readonly id: string;
  readonly accountId: string | null;
  readonly version: string;
  readonly imageSeq: number;
  readonly cause: Cause;
  readonly fields: Fields;
  /** null: unknown, deleted or incomplete. */
  readonly account: Fields | null;
  readonly waivers: readonly Waiver[];
  readonly now: number;
  readonly previousBand: Posture | null;
  readonly previousPosture: Posture | null;
  readonly fallbackFrom?: Result['fallback_from'];
}

export interface Answer {
  readonly result: Result;
  /** RFC 8785 JSON of the result, `hash` appended as its last member. */
  readonly json: string;
  /** First whole second (ms) after `now` at which outcomes, band or posture can differ; null if never. */
  readonly dueAt: number | null;
  /** What it took of the cost limit; comprehensions and patterns count. */
  readonly steps: number;
}

export type AnswerFn = (set: CompiledSet, subject: Subject) => Answer;

const verdicts = new WeakMap<CompiledSet, Verdict>();

/**
 * Scores one image under one set.
 * @throws SetFault when the set itself fails on this image (cost limit, the compiler's own fault): never for data
 */
export function answer(set: CompiledSet, subject: Subject): Answer {
  let verdict = verdicts.get(set);
  if (!verdict) {
    verdict = makeVerdict(set);
    verdicts.set(set, verdict);
  }
  const own = subject.fields;
  const account = set.entity === 'deal' ? subject.account : null;
  const waivers = applicableWaivers(set, subject.waivers);
  const valid = waivers.length === 0 ? NO_WAIVERS : validWaivers(set, own, waivers);
  try {
    judge(set, own, account, valid, subject.now, subject.previousBand, verdict);
    const unhashed = describe(set, subject, account, waivers, verdict);
    const canonical = canonicalText(set, unhashed);
    const steps = verdict.sums[STEPS] ?? 0;
    const digest = `sha256:${hash('sha256', canonical)}`;
    return {
      result: { ...unhashed, hash: digest },
      json: `${canonical.slice(0, -1)},"hash":"${digest}"}`,
      dueAt: nextDue(set, own, account, valid, subject.now, verdict),
      steps,
    };
  } catch (error) {
    if (error instanceof SetFault) throw error;
    throw new SetFault('PLB-FAULT-INTERNAL', error instanceof Error ? error.message : String(error));
  }
}

/** What most lines are, as text: by constraint, satisfied in full and not applicable. */
interface LineTexts {
  readonly satisfied: string;
  readonly notApplicable: string;
}

const lineTexts = new WeakMap<CompiledSet, readonly LineTexts[]>();

function lineTextsOf(set: CompiledSet): readonly LineTexts[] {
  let texts = lineTexts.get(set);
  if (!texts) {
    texts = set.checked.constraints.map(({ id: constraint }) => ({
      satisfied: JSON.stringify({ constraint, degree: 1, outcome: 'satisfied' }),
      notApplicable: JSON.stringify({ constraint, outcome: 'not_applicable' }),
    }));
    lineTexts.set(set, texts);
  }
  return texts;
}

/** JSON.stringify(result), with the lines that repeat put together from texts made before. */
function canonicalText(set: CompiledSet, result: Omit<Result, 'hash'>): string {
  const texts = lineTextsOf(set);
  let lines = '';
  for (let index = 0; index < result.outcomes.length; index++) {
    const line = result.outcomes[index];
    const known = texts[index];
    const plain = line?.missing === undefined && line?.message === undefined ? known : undefined;
    const text =
      plain !== undefined && line?.outcome === 'not_applicable'
        ? plain.notApplicable
        : plain !== undefined && line?.outcome === 'satisfied' && line.degree === 1
          ? plain.satisfied
          : JSON.stringify(line);
    lines += index === 0 ? text : `,${text}`;
  }
  const whole = JSON.stringify({ ...result, outcomes: null });
  const place = whole.lastIndexOf(OUTCOMES_PLACE);
  return `${whole.slice(0, place)}"outcomes":[${lines}]${whole.slice(place + OUTCOMES_PLACE.length)}`;
}

/** After it come only names, times and numbers, none of which can hold this text: quotes in them are escaped. */
const OUTCOMES_PLACE = '"outcomes":null';

const NO_WAIVERS: readonly ValidWaiver[] = [];

function validWaivers(set: CompiledSet, own: Fields, waivers: readonly Waiver[]): readonly ValidWaiver[] {
  return waivers.flatMap((waiver) => {
    const index = set.checked.constraints.findIndex((constraint) => constraint.id === waiver.constraint);
    const rule = set.checked.constraints[index]?.waiver;
    const fits =
      rule?.roles.includes(waiver.role) &&
      waiver.until - waiver.grantedAt <= rule.maxMs &&
      waiver.value === waiverValue(set, waiver.constraint, own);
    return fits ? [{ index, from: waiver.grantedAt, until: waiver.until }] : [];
  });
}

/** The result without its hash; keys in sorted order, so that plain JSON of it is its RFC 8785 form. */
function describe(
  set: CompiledSet,
  subject: Subject,
  account: Fields | null,
  waivers: readonly Waiver[],
  verdict: Verdict,
): Omit<Result, 'hash'> {
  const head = {
    account_id: subject.accountId,
    band: verdict.band,
    cause: sortedCause(subject.cause),
    coverage: coverageOf(verdict),
    entity: subject.entity,
    evidence: evidenceOf(set, subject.fields, account, waivers),
  };
  const tail = {
    id: subject.id,
    image_seq: subject.imageSeq,
    now: instantText(subject.now),
    outcomes: linesOf(set, subject, account, verdict),
    posture: verdict.posture,
    previous_band: subject.previousBand,
    previous_posture: subject.previousPosture,
    score: verdict.score / 100,
    set: set.name,
    set_version: set.version,
    version: subject.version,
  };
  return subject.fallbackFrom
    ? { ...head, fallback_from: sortedFallback(subject.fallbackFrom), ...tail }
    : { ...head, ...tail };
}

function sortedFallback({
  code,
  message,
  set_version,
}: NonNullable<Result['fallback_from']>): NonNullable<Result['fallback_from']> {
  return { code, message, set_version };
}

function sortedCause(cause: Cause): Cause {
  if (cause.kind === 'change' || cause.kind === 'account_change') return { event_id: cause.event_id, kind: cause.kind };
  return cause.kind === 'due' ? { at: cause.at, kind: cause.kind } : { id: cause.id, kind: cause.kind };
}

/** Every constraint's line, in document order. */
function linesOf(set: CompiledSet, subject: Subject, account: Fields | null, verdict: Verdict): readonly OutcomeLine[] {
  const lines: OutcomeLine[] = [];
  let environment: Environment | null = null;
  const { constraints } = set.checked;
  for (let index = 0; index < constraints.length; index++) {
    const constraint = constraints[index];
    if (!constraint) continue;
    const code = verdict.outcomes[index] ?? UNKNOWN;
    const isMissed = verdict.missing[index] === 1;
    const line: Draft = { constraint: constraint.id };
    if (code === SATISFIED || code === VIOLATED || code === WAIVED)
      line.degree = (verdict.degrees[index] ?? 0) / 10_000;
    if (code === VIOLATED || code === WAIVED)
      line.message = set.generated.messages[index]?.(subject.fields, account, subject.now) ?? '';
    if (isMissed) {
      environment ??= environmentOf(set, subject.fields, account, subject.now);
      line.missing = missingPaths(constraint, environment);
    }
    line.outcome = outcomeName(code);
    lines.push(line as OutcomeLine);
  }
  return lines;
}

/** A line while its members are put in their order. */
type Draft = { -readonly [K in keyof OutcomeLine]?: OutcomeLine[K] };

/** Which absent paths made a constraint's expression missing; empty where an operation had no answer. */
function missingPaths(constraint: CheckedConstraint, environment: Environment): readonly string[] {
  try {
    for (const part of [constraint.when, constraint.expr]) {
      if (!part) continue;
      const value = evaluateOnly(part.expr, environment);
      if (isMissing(value)) return value.paths;
    }
  } catch (error) {
    if (!(error instanceof SetFault)) throw error;
  }
  return [];
}

export function environmentOf(set: CompiledSet, own: Fields, account: Fields | null, now: number) {
  const entities = set.entity === 'deal' ? { deal: own, account } : { deal: null, account: own };
  return {
    entities,
    params: new Map(set.checked.params.map((param) => [param.name, resolveParam(param, entities)])),
    now,
    timeZone: set.checked.timeZone,
  };
}
