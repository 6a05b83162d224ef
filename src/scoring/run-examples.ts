import type { CompiledSet } from '../compiler/compile.ts';
import type { Waiver } from '../ingest/image.ts';
import type { CheckedExample } from '../language/checked-set.ts';
import { parseInstant } from '../language/contract.ts';
import { waiverValue } from './evidence.ts';
import type { Outcome, Result } from './result.ts';
import { answer, type Subject } from './score.ts';

export interface Mismatch {
  /** Such as `score`, `posture` or `violated`. */
  readonly what: string;
  readonly expected: string;
  readonly got: string;
}

export interface ExampleRun {
  readonly example: CheckedExample;
  readonly subject: Subject;
  readonly result: Result;
  readonly mismatches: readonly Mismatch[];
}

const OUTCOMES: readonly Outcome[] = ['satisfied', 'violated', 'waived', 'unknown', 'not_applicable'];

/** Runs a set's examples. Only what an example expects is compared; a list of ids must match exactly. */
export function runExamples(set: CompiledSet): readonly ExampleRun[] {
  return set.checked.examples.map((example) => {
    const subject = subjectOf(set, example);
    const { result } = answer(set, subject);
    return { example, subject, result, mismatches: mismatchesOf(example, result) };
  });
}

function subjectOf(set: CompiledSet, example: CheckedExample): Subject {
  const own = (set.entity === 'deal' ? example.deal : example.account) ?? {};
  const accountId = set.entity === 'deal' ? own.account_id : own.id;
  return {
    entity: set.entity,
    id: String(own.id ?? ''),
    accountId: typeof accountId === 'string' ? accountId : null,
    version: '1',
    imageSeq: 1,
    cause: { kind: 'change', event_id: 'example' },
    fields: own,
    account: set.entity === 'deal' ? example.account : null,
    waivers: (example.document.waivers ?? []).map(
      (waiver): Waiver => ({
        set: set.name,
        constraint: waiver.constraint,
        by: waiver.by,
        role: waiver.role,
        grantedAt: parseInstant(waiver.granted_at) ?? 0,
        until: parseInstant(waiver.until) ?? 0,
        value: waiverValue(set, waiver.constraint, own) ?? '',
      }),
    ),
    now: example.now,
    previousBand: example.document.previous_band ?? null,
    previousPosture: example.document.previous_band ?? null,
  };
}

function mismatchesOf(example: CheckedExample, result: Result): readonly Mismatch[] {
  const { expect } = example.document;
  const found: Mismatch[] = [];
  for (const what of ['score', 'coverage', 'band', 'posture'] as const)
    if (expect[what] !== undefined && expect[what] !== result[what])
      found.push({ what, expected: String(expect[what]), got: String(result[what]) });
  for (const outcome of OUTCOMES) {
    const expected = expect[outcome];
    if (!expected) continue;
    const got = result.outcomes.filter((line) => line.outcome === outcome).map((line) => line.constraint);
    if ([...expected].sort().join() !== [...got].sort().join())
      found.push({ what: outcome, expected: expected.join(', ') || 'none', got: got.join(', ') || 'none' });
  }
  return found;
}
