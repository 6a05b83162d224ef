import { parse } from 'yaml';
import { compileSet } from '../src/compiler/compile.ts';
import { contracts } from './corpus.ts';
import { alternate, type Row, row } from './measure.ts';

const CONSTRAINTS = 1_000;

/** Constraints of the kinds that teams write, a thousand of them in one document, no two the same. */
export function manyConstraints(count: number): string {
  const bodies = [
    (i: number) => `    when: deal.stage in ["proposal", "negotiation"]
    require: deal.discount_pct <= ${10 + (i % 40)}.5 || deal.approvals.exists(a, a.field == "discount_pct" && a.role == "role-${i}" && a.value >= deal.discount_pct)
    on_missing: violated
    message: "discount {{deal.discount_pct}} % is over ${10 + (i % 40)} % and not approved"
    fix: Ask the deal desk for approval, or lower the discount.`,
    (i: number) => `    grade: 1.0 - (days(now - deal.last_activity_at) - ${7 + (i % 30)}.0) / 14.0
    violated_below: 0.5
    on_missing: violated
    message: "nothing happened for {{days(now - deal.last_activity_at)}} days"`,
    (i: number) => `    when: has(deal.amount) && deal.amount > ${1_000 + i}.0
    require: deal.contacts.exists(c, c.is_executive) && size(deal.contacts) >= ${1 + (i % 5)}
    on_missing: unknown
    message: "no executive on a deal of {{deal.amount}}"`,
    (i: number) => `    when: (!(deal.stage in ["won", "lost"]))
    require: now - deal.stage_entered_at < duration("${24 * (10 + (i % 50))}h")
    on_missing: satisfied
    message: "{{deal.stage}} since {{deal.stage_entered_at}}"`,
  ];
  const constraints = Array.from({ length: count }, (_, i) => {
    const body = bodies[i % bodies.length]?.(i) ?? '';
    return `  - id: rule-${i}\n    title: Rule number ${i}\n    severity: medium\n    weight: ${1 + (i % 100)}\n${body}\n`;
  });
  return `apiVersion: plumbline/v1\nkind: ConstraintSet\nname: many\nentity: deal\nscoring:\n  bands: { watch: 90, at_risk: 70, critical: 50 }\n  hysteresis: 5\nconstraints:\n${constraints.join('')}`;
}

/** Document to function, beside what the `yaml` package takes to read the same document alone. */
export function compileRow(): Row {
  const text = manyConstraints(CONSTRAINTS);
  const { set, diagnostics } = compileSet('many.yaml', text, contracts);
  if (set?.checked.constraints.length !== CONSTRAINTS) throw new Error(diagnostics[0]?.message);
  const [ours = 0, yaml = 0] = alternate([() => compileSet('many.yaml', text, contracts), () => parse(text)], 9);
  return row(`compile ${CONSTRAINTS} constraints: yaml's parse alone`, 'ms', ours, yaml, ours / yaml, '<= 3');
}
