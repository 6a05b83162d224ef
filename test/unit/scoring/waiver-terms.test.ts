import { describe, expect, it } from 'vitest';
import { loadContracts } from '../../../schemas/contracts.ts';
import { compileSet } from '../../../src/compiler/compile.ts';
import { formatDiagnostic } from '../../../src/language/diagnostics.ts';
import { objectionTo, type WaiverTerms } from '../../../src/scoring/waiver-terms.ts';

const TEXT = `apiVersion: plumbline/v1
kind: ConstraintSet
name: t
entity: deal
scoring:
  bands: { watch: 90, at_risk: 70, critical: 50 }
  hysteresis: 5
constraints:
  - id: discount
    title: t
    severity: high
    weight: 1
    require: deal.discount_pct <= 30
    on_missing: violated
    message: m
    waiver: { by: [vp-sales, cfo], for_at_most: 36h }
  - id: margin
    title: t
    severity: high
    weight: 1
    require: deal.margin_pct >= 30
    on_missing: violated
    message: m
    fix: Raise the price.
`;
const { set } = compileSet('t@1', TEXT, loadContracts());
const HOUR = 3_600_000;
const GRANTED = Date.parse('2026-03-01T00:00:00Z');

const told = (more: Partial<WaiverTerms>): readonly string[] => {
  if (!set) throw new Error('the set does not compile');
  const terms = { constraint: 'discount', role: 'cfo', grantedAt: GRANTED, until: GRANTED + HOUR, ...more };
  const objection = objectionTo(set.checked, terms);
  return objection === null ? [] : formatDiagnostic(objection, TEXT).split('\n');
};

describe('what a document says against a waiver', () => {
  it('is nothing where role and length are as it allows', () => {
    expect(told({})).toEqual([]);
    expect(told({ role: 'vp-sales', until: GRANTED + 36 * HOUR })).toEqual([]);
  });

  it('is told at the place that says it, with what would do', () => {
    expect(told({ role: 'rep' })).toEqual([
      't@1:16:19: error PLB-WAIVER-ROLE: `rep` may not waive `discount`',
      '      waiver: { by: [vp-sales, cfo], for_at_most: 36h }',
      `${' '.repeat(20)}^^^^^^^^^^^^^^^`,
      '  hint: expected vp-sales, cfo',
    ]);
    expect(told({ until: GRANTED + 48 * HOUR })).toEqual([
      't@1:16:49: error PLB-WAIVER-LENGTH: a waiver of `discount` lasts at most 36h, this one 2d',
      '      waiver: { by: [vp-sales, cfo], for_at_most: 36h }',
      `${' '.repeat(50)}^^^`,
      '  hint: --for 36h',
    ]);
    expect(told({ until: GRANTED })[0]).toContain('PLB-WAIVER-LENGTH: the waiver would be over before it begins');
  });

  it('names the constraint that was meant, and says where nobody may', () => {
    const unknown = told({ constraint: 'discuont' });
    expect([unknown[0], unknown[3]]).toEqual([
      't@1:8:1: error PLB-WAIVER-UNKNOWN: `t` has no constraint `discuont`',
      '  hint: did you mean `discount`?',
    ]);
    const nobody = told({ constraint: 'margin' });
    expect([nobody[0], nobody[3]]).toEqual([
      't@1:17:9: error PLB-WAIVER-UNKNOWN: nobody may waive `margin`: it has no `waiver`',
      '  hint: Raise the price.',
    ]);
  });
});
