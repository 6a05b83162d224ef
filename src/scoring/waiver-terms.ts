import type { CheckedSet } from '../language/checked-set.ts';
import { type Diagnostic, diagnose, makeSource } from '../language/diagnostics.ts';
import { type Path, readDocument } from '../language/read-document.ts';
import { didYouMean } from '../language/suggest.ts';

/** What a waiver of one of a set's constraints asks for. */
export interface WaiverTerms {
  readonly constraint: string;
  readonly role: string;
  /** Milliseconds. */
  readonly grantedAt: number;
  readonly until: number;
}

/**
 * What the document says against a waiver, at the place that says it; null: nothing. Scoring would pass over such a
 * waiver in silence.
 */
export function objectionTo(set: CheckedSet, terms: WaiverTerms): Diagnostic | null {
  const { constraint: id, role, grantedAt, until } = terms;
  const index = set.constraints.findIndex((constraint) => constraint.id === id);
  const constraint = set.constraints[index];
  if (constraint === undefined)
    return at(
      set,
      ['constraints'],
      'PLB-WAIVER-UNKNOWN',
      `\`${set.name}\` has no constraint \`${id.slice(0, 80)}\``,
      didYouMean(
        id,
        set.constraints.map((one) => one.id),
      ),
    );
  const place: Path = ['constraints', index];
  if (constraint.waiver === null)
    return at(
      set,
      [...place, 'id'],
      'PLB-WAIVER-UNKNOWN',
      `nobody may waive \`${id}\`: it has no \`waiver\``,
      constraint.fix ?? 'a version with `waiver: { by: […], for_at_most: 30d }` would let it be waived',
    );
  const { roles, maxMs } = constraint.waiver;
  if (!roles.includes(role))
    return at(
      set,
      [...place, 'waiver', 'by'],
      'PLB-WAIVER-ROLE',
      `\`${role.slice(0, 80)}\` may not waive \`${id}\``,
      `expected ${roles.join(', ')}`,
    );
  if (until <= grantedAt)
    return at(
      set,
      [...place, 'waiver', 'for_at_most'],
      'PLB-WAIVER-LENGTH',
      'the waiver would be over before it begins',
      `it may last ${lengthText(maxMs)} from now`,
    );
  if (until - grantedAt > maxMs)
    return at(
      set,
      [...place, 'waiver', 'for_at_most'],
      'PLB-WAIVER-LENGTH',
      `a waiver of \`${id}\` lasts at most ${lengthText(maxMs)}, this one ${lengthText(until - grantedAt)}`,
      `--for ${lengthText(maxMs)}`,
    );
  return null;
}

function at(set: CheckedSet, path: Path, code: string, message: string, hint: string | null): Diagnostic {
  const source = makeSource(set.file, set.text);
  const { places } = readDocument(source);
  // A list would be shown by its first item.
  const span = path.length === 1 ? places.keyAt(path) : places.valueAt(path);
  return diagnose(source, span, code, message, hint);
}

const UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
] as const;

/** As a document writes a length: in the largest unit of which it is a whole number. */
function lengthText(ms: number): string {
  for (const [unit, length] of UNITS) if (ms % length === 0) return `${ms / length}${unit}`;
  return `${Math.ceil(ms / 1_000)}s`;
}
