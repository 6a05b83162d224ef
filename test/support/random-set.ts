import fc from 'fast-check';
import { type CompiledSet, compileSet } from '../../src/compiler/compile.ts';
import { compileExpression, contracts } from './evaluate-expression.ts';
import { randomExpressions } from './random-expression.ts';

/** Documents of random constraints, half of them about time. */

const instants = [
  'deal.last_activity_at',
  'deal.stage_entered_at',
  'deal.next_step_at',
  'deal.close_date',
  'account.renewal_date',
  'deal.created_at',
];
const instant = fc.constantFrom(...instants);
const days = fc.integer({ min: -40, max: 40 });

const timeCondition = fc.oneof(
  fc
    .tuple(instant, fc.constantFrom('<', '<=', '>', '>=', '==', '!='), days)
    .map(([field, op, n]) => `days(now - ${field}) ${op} ${n.toFixed(1)}`),
  fc.tuple(instant, fc.constantFrom('<', '<=', '>', '>=')).map(([field, op]) => `${field} ${op} now`),
  fc.tuple(instant, instant, days).map(([a, b, n]) => `(has(${a}) ? now - ${a} : ${b} - now) > duration("${n * 24}h")`),
  fc
    .tuple(days, days)
    .map(
      ([a, b]) =>
        `deal.approvals.exists(a, now - a.at > duration("${a}h") && now - a.at < duration("${a + Math.abs(b) * 24}h"))`,
    ),
  fc.tuple(days).map(([n]) => `deal.approvals.filter(a, a.at > now - duration("${Math.abs(n) * 24}h")).size() >= 2`),
  fc.tuple(instant, instant).map(([a, b]) => `days(now - ${a}) * 2.0 - days(${b} - now) / 3.0 > 10.0`),
);
const timeGrade = fc.oneof(
  fc
    .tuple(instant, days, fc.integer({ min: 1, max: 60 }))
    .map(([field, n, k]) => `1.0 - (days(now - ${field}) - ${n.toFixed(1)}) / ${k.toFixed(1)}`),
  fc.tuple(instant, fc.integer({ min: 1, max: 60 })).map(([field, k]) => `days(now - ${field}) / ${k.toFixed(1)}`),
  fc
    .tuple(instant, fc.integer({ min: 1, max: 60 }))
    .map(([field, k]) => `days(${field} - now) / ${k.toFixed(1)} + 0.25`),
);

interface Part {
  readonly kind: 'require' | 'grade';
  readonly text: string;
  readonly when: string | null;
  readonly weight: number;
  readonly severity: string;
  readonly below: number;
}

const { bool, double } = randomExpressions(2);
const part = (condition: fc.Arbitrary<string>, grade: fc.Arbitrary<string>): fc.Arbitrary<Part> =>
  fc
    .oneof(
      condition.map((text) => ['require', text] as const),
      grade.map((text) => ['grade', text] as const),
    )
    .chain(([kind, text]) =>
      fc.record({
        kind: fc.constant(kind),
        text: fc.constant(text),
        when: fc.option(condition, { freq: 3 }),
        weight: fc.integer({ min: 1, max: 50 }),
        severity: fc.constantFrom('low', 'medium', 'high', 'critical'),
        below: fc.constantFrom(0, 0.25, 0.5, 0.7501, 1),
      }),
    );

export const timeParts = fc.array(part(timeCondition, timeGrade), { minLength: 1, maxLength: 4 });
export const anyParts = fc.array(part(fc.oneof(bool, timeCondition), fc.oneof(double, timeGrade)), {
  minLength: 1,
  maxLength: 5,
});

const q = (text: string): string => JSON.stringify(text);

/** null where a random constraint is one that the checker refuses (a constant condition, say). */
export function setOfParts(parts: readonly Part[], hysteresis: number): CompiledSet | null {
  const constraints = parts.map((one, i) => {
    const compiled = compileExpression(
      one.when === null ? one.text : `(${one.when}) && true ? ${one.text} : ${one.text}`,
    ).compiled;
    const mayMiss = compileExpression(one.text).compiled?.expr.mayMiss ?? compiled?.expr.mayMiss;
    return [
      `  - id: c${i}`,
      '    title: t',
      `    severity: ${one.severity}`,
      `    weight: ${one.weight}`,
      ...(one.when === null ? [] : [`    when: ${q(one.when)}`]),
      `    ${one.kind}: ${q(one.text)}`,
      ...(one.kind === 'grade' ? [`    violated_below: ${one.below}`] : []),
      ...(mayMiss ? ['    on_missing: unknown'] : []),
      '    message: m',
    ].join('\n');
  });
  const text = [
    'apiVersion: plumbline/v1',
    'kind: ConstraintSet',
    'name: random',
    'entity: deal',
    'recheck_every: 1d',
    `scoring: { bands: { watch: 90, at_risk: 70, critical: 50 }, hysteresis: ${hysteresis}, severity_floor: { critical: at_risk }, minimum_coverage: { share: 0.5, posture: watch } }`,
    'constraints:',
    ...constraints,
  ].join('\n');
  return compileSet('random.yaml', text, contracts).set;
}
