import type { Trace } from '../compiler/interpret.ts';
import type { ExplainedConstraint, Explanation } from '../scoring/explain.ts';
import type { Outcome } from '../scoring/result.ts';
import { POSTURE_STYLES, type painter } from './colors.ts';
import { printable } from './printable.ts';

type Paint = ReturnType<typeof painter>;

const MARKS: { readonly [O in Outcome]: readonly [string, 'green' | 'red' | 'yellow' | 'gray' | 'cyan'] } = {
  satisfied: ['✓', 'green'],
  violated: ['✗', 'red'],
  waived: ['~', 'cyan'],
  unknown: ['?', 'yellow'],
  not_applicable: ['·', 'gray'],
};
/** Deeper parts of an expression are left out of the text form; `--format json` has them all. */
const MAX_DEPTH = 12;

/** An explanation as text for people. */
export function renderExplanation({ result, constraints, sum }: Explanation, paint: Paint): string {
  const head = `${result.entity} ${printable(result.id)} · ${result.set} ${result.set_version.slice(0, 12)} · ${result.now}`;
  const posture = paint(POSTURE_STYLES[result.posture], result.posture);
  const lines = [
    head,
    `score ${result.score}, band ${result.band}, posture ${posture}, coverage ${result.coverage} (before: ${result.previous_posture ?? 'first seen'})`,
    '',
    ...constraints.flatMap((constraint) => renderConstraint(constraint, paint)),
    '',
    `score = Σ weight·degree / Σ weight = ${sum.earned} / ${sum.weight} = ${result.score}`,
    ...sum.terms.map(
      ({ constraint, weight, degree }) => `  ${String(weight).padStart(4)} · ${degree.toFixed(4)}  ${constraint}`,
    ),
  ];
  if (sum.unknownWeight > 0)
    lines.push(
      `  ${sum.unknownWeight} of weight is unknown and doesn't count; coverage = ${sum.weight} / ${sum.weight + sum.unknownWeight} = ${result.coverage}`,
    );
  return `${lines.join('\n')}\n`;
}

function renderConstraint(constraint: ExplainedConstraint, paint: Paint): readonly string[] {
  const [mark, style] = MARKS[constraint.outcome];
  const lines = [
    `${paint(style, `${mark} ${constraint.outcome}`)}  ${constraint.id} — ${constraint.title} (${constraint.severity}, weight ${constraint.weight})`,
  ];
  if (constraint.message !== null) lines.push(`    ${printable(constraint.message)}`);
  if (constraint.fix !== null && constraint.outcome === 'violated') lines.push(`    fix: ${constraint.fix}`);
  if (constraint.missing.length > 0) lines.push(`    missing: ${constraint.missing.join(', ')}`);
  if (constraint.when && constraint.expression === null) lines.push(...renderTrace('when ', constraint.when, 2));
  if (constraint.expression) lines.push(...renderTrace('', constraint.expression, 2));
  return lines;
}

function renderTrace(label: string, trace: Trace, depth: number): readonly string[] {
  const value = trace.missing
    ? `missing (${trace.missing.paths.join(', ') || trace.missing.code})`
    : trace.value === null
      ? ''
      : clip(printable(JSON.stringify(trace.value)));
  const decided = trace.decided_by === undefined ? '' : `, decided by [${trace.decided_by}]`;
  const line = `${'  '.repeat(depth)}${label}${clip(trace.text)} → ${value}${decided}`;
  const isPlain = trace.parts.length === 0;
  if (isPlain && (trace.text === JSON.stringify(trace.value) || String(trace.value) === trace.text)) return [];
  return depth > MAX_DEPTH ? [line] : [line, ...trace.parts.flatMap((part) => renderTrace('', part, depth + 1))];
}

const clip = (text: string): string => (text.length > 110 ? `${text.slice(0, 107)}…` : text);
