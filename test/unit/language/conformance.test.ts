import { getConformanceSuite, type IncrementalTestSuite } from '@bufbuild/cel-spec/testdata/tests.js';
import { describe, expect, test } from 'vitest';
import { type Answered, compileExpression, MISSING } from '../../support/evaluate-expression.ts';

/** Why a case of the specification is skipped, by what keeps it from being checked here. */
const SKIPPED: { readonly [reason: string]: string } = {
  'needs bindings': 'the case binds variables of types that a contract has not (maps, messages, dyn)',
  'unchecked or check-only':
    'the case switches the checker off, or only asks for the checker of another implementation',
  'PLB-EXPR-UNSUPPORTED': 'maps, unsigned integers, bytes: not part of the language',
  'PLB-EXPR-SYNTAX': 'message literals, optional syntax, leading dots: not part of the language',
  'PLB-EXPR-NULL': 'null is no value: what is null is missing',
  'PLB-EXPR-RANGE': 'an int is within ±(2^53−1)',
  'PLB-EXPR-LIMIT': 'larger than an expression may be',
  'PLB-EXPR-TYPE': 'dynamic typing: the checker refuses what can only fail',
  'PLB-EXPR-UNKNOWN-NAME': 'type names, enums, and the math, optional, encoder and bind extensions',
  'PLB-EXPR-UNKNOWN-FUNCTION': 'dyn, type, uint, bytes and the rest of the string and list extensions',
  'PLB-EXPR-CONSTANT-FAULT': 'a literal that cannot be converted is refused when the set is checked, not when it runs',
  'PLB-EXPR-MACRO': 'two-variable comprehensions',
  'PLB-EXPR-PATTERN': 'a pattern must be a literal',
  'PLB-EXPR-HAS': 'has() asks about a field of a contract',
  'PLB-EXPR-TIME-ZONE': 'an unknown zone is refused when the set is checked',
  'unsigned or message result': 'the answer has a type that the language has not',
};

/** Cases that run and differ, each by design. */
const NO_NAN = 'NaN and infinities are missing';
const MILLISECONDS = 'instants and durations are whole milliseconds';
const LONG_DURATION = 'a duration reaches 10,000 years, not the 292 of 64-bit nanoseconds';
const DIFFERENT: { readonly [name: string]: string } = {
  'comparisons/eq_literal/not_eq_double_nan': NO_NAN,
  'comparisons/ne_literal/not_ne_double_nan': NO_NAN,
  'comparisons/ne_literal/ne_double_nan': NO_NAN,
  'fp_math/fp_math/divide_zero': NO_NAN,
  'fp_math/fp_math/fp_overflow_positive': NO_NAN,
  'fp_math/fp_math/fp_overflow_negative': NO_NAN,
  'timestamps/timestamp_conversions/toString_timestamp_nanos': MILLISECONDS,
  'timestamps/timestamp_arithmetic/add_time_to_duration_nanos_negative': MILLISECONDS,
  'timestamps/timestamp_arithmetic/add_time_to_duration_nanos_positive': MILLISECONDS,
  'timestamps/timestamp_range/add_duration_nanos_over': MILLISECONDS,
  'timestamps/timestamp_range/add_duration_nanos_under': MILLISECONDS,
  'timestamps/timestamp_range/sub_time_duration_over': LONG_DURATION,
  'timestamps/timestamp_range/sub_time_duration_under': LONG_DURATION,
};

interface Tally {
  readonly agreeing: string[];
  readonly differing: string[];
  readonly skipped: Map<string, number>;
}

type Case = IncrementalTestSuite['tests'][number];
type CelValue = Extract<NonNullable<Case['original']['resultMatcher']>, { case: 'value' }>['value'];

describe('cel-spec conformance', () => {
  const tally: Tally = { agreeing: [], differing: [], skipped: new Map() };
  for (const suite of getConformanceSuite().suites) walk(suite, [suite.name], tally);

  test('every supported case agrees, in the generated code and in the explanation, but for listed differences', () => {
    expect(tally.differing.sort()).toEqual(Object.keys(DIFFERENT).sort());
    expect(tally.agreeing.length).toBeGreaterThanOrEqual(490);
  });

  test('every skip has a stated reason', () => {
    expect([...tally.skipped.keys()].filter((reason) => !SKIPPED[reason])).toEqual([]);
  });
});

function walk(suite: IncrementalTestSuite, path: readonly string[], tally: Tally): void {
  for (const one of suite.tests) {
    const name = [...path, one.name].join('/');
    const verdict = run(one);
    if (verdict === 'agrees') tally.agreeing.push(name);
    else if (verdict === 'differs') tally.differing.push(name);
    else tally.skipped.set(verdict, (tally.skipped.get(verdict) ?? 0) + 1);
  }
  for (const inner of suite.suites) walk(inner, [...path, inner.name], tally);
}

function run({ original }: Case): string {
  if (original.typeEnv.length > 0 || Object.keys(original.bindings).length > 0) return 'needs bindings';
  if (original.disableCheck || original.checkOnly) return 'unchecked or check-only';
  const { compiled, findings } = compileExpression(original.expr);
  if (!compiled) return findings[0]?.code ?? 'no finding';
  const expected = expectedOf(original.resultMatcher);
  if (expected === null) return 'unsigned or message result';
  const answers = [compiled.generated({}, null, 0), compiled.interpreted({}, null, 0)];
  return answers.every((answer) => show(answer) === expected) ? 'agrees' : 'differs';
}

const show = (answer: Answered): string => (answer === MISSING ? 'missing' : JSON.stringify(answer));

function expectedOf(matcher: Case['original']['resultMatcher']): string | null {
  switch (matcher.case) {
    case undefined:
      return 'true';
    case 'value':
      return showValue(matcher.value);
    case 'typedResult':
      return matcher.value.result ? showValue(matcher.value.result) : null;
    case 'evalError':
    case 'anyEvalErrors':
      return 'missing';
    default:
      return null;
  }
}

function showValue(value: CelValue): string | null {
  const { kind } = value;
  switch (kind.case) {
    case 'int64Value':
      return String(kind.value);
    case 'doubleValue':
    case 'stringValue':
    case 'boolValue':
      return JSON.stringify(kind.value);
    case 'listValue': {
      const items = kind.value.values.map(showValue);
      return items.includes(null) ? null : `[${items.join(',')}]`;
    }
    default:
      return null;
  }
}
