import { hash } from 'node:crypto';
import canonicalize from 'canonicalize';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type CompiledSet, compileSet } from '../../../src/compiler/compile.ts';
import { interpret, isMissing } from '../../../src/compiler/interpret.ts';
import type { Waiver } from '../../../src/ingest/image.ts';
import type { Fields } from '../../../src/language/contract.ts';
import { waiverValue } from '../../../src/scoring/evidence.ts';
import { explain } from '../../../src/scoring/explain.ts';
import { POSTURES, type Posture } from '../../../src/scoring/posture.ts';
import { decodeEvidence, reproduce } from '../../../src/scoring/reproduce.ts';
import type { OutcomeLine, Result } from '../../../src/scoring/result.ts';
import { answer, environmentOf, type Subject } from '../../../src/scoring/score.ts';
import { contracts } from '../../support/evaluate-expression.ts';
import { NOW, randomAccount, randomDeal } from '../../support/random-expression.ts';
import { anyParts, setOfParts } from '../../support/random-set.ts';

const NO_FIELDS: Fields = Object.fromEntries([...contracts.deal.fields.keys()].map((name) => [name, null]));

const subjectOf = (fields: Fields, more: Partial<Subject> = {}): Subject => ({
  entity: 'deal',
  id: 'D1',
  accountId: 'A1',
  version: '7',
  imageSeq: 3,
  cause: { kind: 'change', event_id: 'e-1' },
  fields: { ...NO_FIELDS, id: 'D1', stage: 'proposal', ...fields },
  account: null,
  waivers: [],
  now: NOW,
  previousBand: null,
  previousPosture: null,
  ...more,
});

const scenario = fc.record({
  parts: anyParts,
  hysteresis: fc.constantFrom(0, 5),
  deal: randomDeal,
  account: randomAccount,
  previous: fc.option(fc.constantFrom(...POSTURES)),
});

describe('a result', () => {
  test('is recomputed from its own JSON, byte for byte; its hash is that of its RFC 8785 form', () => {
    fc.assert(
      fc.property(scenario, ({ parts, hysteresis, deal, account, previous }) => {
        const set = setOfParts(parts, hysteresis);
        fc.pre(set !== null);
        if (!set) return;
        const { json } = answer(set, subjectOf(deal, { account, previousBand: previous, previousPosture: previous }));
        const read = JSON.parse(json) as Result;
        const carried = { ...read, control_offset: 3, input_offset: 9, trace_id: 't', span_id: 's', traceparent: '00' };
        expect(reproduce(set, carried)).toEqual({
          same: true,
          difference: null,
        });
        const { hash: told, ...hashed } = read;
        expect(told).toBe(`sha256:${hash('sha256', canonicalize(hashed) ?? '')}`);
      }),
      { numRuns: 500 },
    );
  });

  test('always agrees with its explanation', () => {
    fc.assert(
      fc.property(scenario, ({ parts, hysteresis, deal, account }) => {
        const set = setOfParts(parts, hysteresis);
        fc.pre(set !== null);
        if (!set) return;
        const subject = subjectOf(deal, { account });
        const { result } = answer(set, subject);
        expect(result.outcomes).toEqual(set.checked.constraints.map((_, index) => interpreted(set, subject, index)));
        const evidence = decodeEvidence(set, result);
        const { sum } = explain(set, result, evidence.own, evidence.account, evidence.now);
        expect(sum.weight === 0 ? 100 : Math.round((sum.earned / sum.weight) * 10_000) / 100).toBeCloseTo(
          result.score,
          1,
        );
      }),
      { numRuns: 500 },
    );
  });
});

/** The outcome of a constraint by the explaining form alone. */
function interpreted(set: CompiledSet, subject: Subject, index: number): OutcomeLine {
  const constraint = set.checked.constraints[index];
  if (!constraint) throw new Error('no such constraint');
  const environment = environmentOf(set, subject.fields, subject.account, subject.now);
  const id = constraint.id;
  if (constraint.when) {
    const { value } = interpret(constraint.when.expr, constraint.when.text, environment);
    if (isMissing(value)) return { constraint: id, missing: value.paths, outcome: 'unknown' };
    if (value === false) return { constraint: id, outcome: 'not_applicable' };
  }
  const { value } = interpret(constraint.expr.expr, constraint.expr.text, environment);
  const line = (degree: number, outcome: 'satisfied' | 'violated', missing?: readonly string[]): OutcomeLine => ({
    constraint: id,
    degree: degree / 10_000,
    ...(outcome === 'violated' ? { message: 'm' } : {}),
    ...(missing ? { missing } : {}),
    outcome,
  });
  if (isMissing(value)) {
    if (constraint.onMissing === 'unknown') return { constraint: id, missing: value.paths, outcome: 'unknown' };
    return constraint.onMissing === 'violated'
      ? line(0, 'violated', value.paths)
      : line(10_000, 'satisfied', value.paths);
  }
  if (constraint.kind === 'require') return value === true ? line(10_000, 'satisfied') : line(0, 'violated');
  const degree = Math.min(10_000, Math.max(0, Math.floor(Number(value) * 10_000 + 0.5)));
  return line(degree, degree < constraint.violatedBelow ? 'violated' : 'satisfied');
}

function compiled(constraints: string, more = ''): CompiledSet {
  const text = `apiVersion: plumbline/v1\nkind: ConstraintSet\nname: t\nentity: deal\n${more}scoring: { bands: { watch: 90, at_risk: 70, critical: 50 }, hysteresis: 5 }\nconstraints:\n${constraints}`;
  const { set, diagnostics } = compileSet('t.yaml', text, contracts);
  if (!set) throw new Error(JSON.stringify(diagnostics));
  return set;
}

describe('a waiver', () => {
  const set = compiled(
    '  - { id: low, title: t, severity: high, weight: 1, require: deal.discount_pct <= 30, on_missing: violated, message: m, waiver: { by: [vp-sales], for_at_most: 30d } }\n',
  );
  const DAY = 86_400_000;
  const waiverOf = (more: Partial<Waiver> = {}): Waiver => ({
    set: 't',
    constraint: 'low',
    by: 'Vera',
    role: 'vp-sales',
    grantedAt: NOW - DAY,
    until: NOW + DAY,
    value: waiverValue(set, 'low', { discount_pct: 40 }) ?? '',
    ...more,
  });
  const outcomeWith = (waiver: Waiver, fields: Fields = { discount_pct: 40 }): string | undefined =>
    answer(set, subjectOf(fields, { waivers: [waiver] })).result.outcomes[0]?.outcome;

  test('turns violated into waived, in time and for what was waived only', () => {
    expect(outcomeWith(waiverOf())).toBe('waived');
    expect(outcomeWith(waiverOf({ until: NOW }))).toBe('violated');
    expect(outcomeWith(waiverOf({ grantedAt: NOW + 1 }))).toBe('violated');
    expect(outcomeWith(waiverOf({ role: 'rep' }))).toBe('violated');
    expect(outcomeWith(waiverOf({ until: NOW + 30 * DAY }))).toBe('violated');
    expect(outcomeWith(waiverOf(), { discount_pct: 41 })).toBe('violated');
    expect(outcomeWith(waiverOf({ set: 'other' }))).toBe('violated');
    expect(outcomeWith(waiverOf(), { discount_pct: 20 })).toBe('satisfied');
  });

  test('is evidence, and its end is a due time', () => {
    const { result, dueAt } = answer(set, subjectOf({ discount_pct: 40 }, { waivers: [waiverOf()] }));
    expect([result.score, dueAt]).toEqual([100, NOW + DAY]);
    expect(result.evidence.waivers).toHaveLength(1);
    expect(reproduce(set, result).same).toBe(true);
  });
});

describe('a grade', () => {
  const quiet = (below: number): CompiledSet =>
    compiled(
      `  - { id: a, title: t, severity: low, weight: 1, grade: deal.margin_pct, violated_below: ${below}, on_missing: unknown, message: m }\n`,
    );

  test('is violated below `violated_below`, not at it', () => {
    const wrong: number[] = [];
    for (let hundredth = 1; hundredth < 100; hundredth++) {
      const below = hundredth / 100;
      const set = quiet(below);
      const outcomeAt = (grade: number) => answer(set, subjectOf({ margin_pct: grade })).result.outcomes[0]?.outcome;
      if (outcomeAt(below) !== 'satisfied' || outcomeAt(below - 0.0001) !== 'violated') wrong.push(below);
    }
    expect(wrong).toEqual([]);
  });

  test('is due at the first second below it', () => {
    const set = compiled(
      '  - { id: a, title: t, severity: low, weight: 1, grade: 1.0 - days(now - deal.created_at) / 100.0, violated_below: 0.07, on_missing: unknown, message: m }\n  - { id: b, title: t, severity: low, weight: 1000, require: has(deal.stage), message: m }\n',
    );
    const { dueAt } = answer(set, subjectOf({ created_at: NOW }));
    // A degree of 0.06995 still rounds to 0.07.
    expect(dueAt).toBe(NOW + 93.005 * 86_400_000 + 1000);
  });
});

describe('a band', () => {
  const set = compiled(
    '  - { id: a, title: t, severity: low, weight: 91, require: has(deal.amount), message: m }\n  - { id: b, title: t, severity: low, weight: 9, require: has(deal.owner), message: m }\n',
  );
  const bandAfter = (previousBand: Posture | null): Posture =>
    answer(set, subjectOf({ amount: 1 }, { previousBand })).result.band;

  test('is left only with the hysteresis', () => {
    expect([bandAfter(null), bandAfter('healthy'), bandAfter('watch'), bandAfter('critical')]).toEqual([
      'healthy',
      'healthy',
      'watch',
      'watch',
    ]);
  });
});

test('a date begins in the set’s time zone', () => {
  const closes = (zone: string): CompiledSet =>
    compiled(
      '  - { id: a, title: t, severity: low, weight: 1, require: deal.close_date > now, on_missing: unknown, message: "{{deal.close_date}}" }\n',
      `time_zone: ${zone}\n`,
    );
  const fields = { close_date: Math.floor(NOW / 86_400_000) + 30 };
  const begins = Date.parse('2026-03-31T00:00:00Z');
  expect(answer(closes('UTC'), subjectOf(fields)).dueAt).toBe(begins);
  expect(answer(closes('Europe/Berlin'), subjectOf(fields)).dueAt).toBe(begins - 2 * 3_600_000);
  expect(answer(closes('America/New_York'), subjectOf(fields)).dueAt).toBe(begins + 4 * 3_600_000);
  const late = answer(closes('America/New_York'), subjectOf(fields, { now: begins + 5 * 3_600_000 })).result;
  expect(late.outcomes[0]).toMatchObject({ outcome: 'violated', message: '2026-03-31' });
});
