import { readFileSync } from 'node:fs';
import { factRecord } from '../producers/control.ts';
import { setRecord } from '../producers/sets.ts';
import { topics } from '../src/cli/open-log.ts';
import { type CompiledSet, compileSet } from '../src/compiler/compile.ts';
import type { NewRecord } from '../src/log/port.ts';
import { POSTURES } from '../src/scoring/posture.ts';
import { contracts } from './corpus.ts';

const NAME = 'deal-desk';
const EVIDENCE = `sha256:${'0'.repeat(64)}`;

/** Another version of deal-desk, which answers some deals differently. */
export function changedDealDesk(): CompiledSet {
  const url = new URL(`../constraint-sets/${NAME}.yaml`, import.meta.url);
  const text = readFileSync(url, 'utf8').replace(
    'rep_discount: { type: double, default: 10',
    'rep_discount: { type: double, default: 8',
  );
  const { set, diagnostics } = compileSet(`${NAME}.yaml`, text, contracts);
  if (!set) throw new Error(diagnostics[0]?.message);
  return set;
}

/** The facts that bring a version into its shadow, with its document. Whoever moves is expected to. */
export function shadowFacts(sets: readonly CompiledSet[], candidate: CompiledSet): readonly NewRecord[] {
  const baseline = sets.find(({ name }) => name === candidate.name)?.version ?? null;
  const { name, version } = candidate;
  const common = { set: name, version, at: 0, by: 'benchmark' };
  const moves = POSTURES.flatMap((from) => POSTURES.map((to) => ({ from, to, atMost: 1, of: 'share' as const })));
  return [
    setRecord(topics, { version, name, document: candidate.checked.text }),
    factRecord(topics, { ...common, kind: 'proposed', baseline, moves: moves.filter(({ from, to }) => from !== to) }),
    factRecord(topics, { ...common, kind: 'validated', evidence: EVIDENCE, verdict: 'pass' }),
    factRecord(topics, {
      ...common,
      kind: 'approved',
      baseline,
      evidence: EVIDENCE,
      role: 'revops',
      key: '0',
      expiresAt: Date.UTC(2100, 0),
    }),
    factRecord(topics, { ...common, kind: 'shadowed' }),
  ];
}
