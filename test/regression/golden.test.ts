import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { loadContracts } from '../../schemas/contracts.ts';
import { generateBook } from '../../src/book/generate-book.ts';
import { type CompiledSet, compileSet } from '../../src/compiler/compile.ts';
import type { Change } from '../../src/ingest/change.ts';
import { openDirect } from '../../src/runtime/direct.ts';
import { reproduce } from '../../src/scoring/reproduce.ts';
import type { Result } from '../../src/scoring/result.ts';
import { importData, reasonToSkip } from '../support/real-data.ts';

/**
 * Results of the shipped sets over real data, byte for byte: their hash, and what a person can read of them. A change
 * that is meant to move them is taken with PLUMBLINE_UPDATE_GOLDEN=1, and the difference is read before it is committed.
 */
const SETS = fileURLToPath(new URL('../../constraint-sets/', import.meta.url));
const contracts = loadContracts();
const sets: readonly CompiledSet[] = readdirSync(SETS)
  .filter((name) => name.endsWith('.yaml'))
  .sort()
  .map((name) => {
    const { set, diagnostics } = compileSet(name, readFileSync(`${SETS}${name}`, 'utf8'), contracts);
    if (!set) throw new Error(`${name}: ${diagnostics[0]?.message}`);
    return set;
  });

/** Each so many results is recomputed from its evidence. */
const REPRODUCE_EVERY = 25;

interface Golden {
  readonly results: number;
  readonly sha256: string;
  /** Postures of the last result of every entity, by set. */
  readonly postures: { readonly [set: string]: { readonly [posture: string]: number } };
  readonly violated: { readonly [constraint: string]: number };
  /** The same with every answer given at the end of the data: what has been left lying shows. */
  readonly atTheEnd: { readonly postures: Golden['postures']; readonly violated: Golden['violated'] };
}

function scoreAll(changes: readonly Change[], end: number): Golden {
  const history = scoreHistory(changes, null);
  const { postures, violated } = scoreHistory(changes, end);
  return { ...history, atTheEnd: { postures, violated } };
}

function scoreHistory(changes: readonly Change[], now: number | null): Omit<Golden, 'atTheEnd'> {
  const pipeline = openDirect({ contracts, sets, now, due: now === null });
  const hash = createHash('sha256');
  const last = new Map<string, Result>();
  let results = 0;
  for (const change of changes)
    for (const output of pipeline.take(change)) {
      if (output.kind === 'failed') throw new Error(output.failure.message);
      if (output.kind !== 'result') continue;
      const { result, json } = output.answer;
      hash.update(`${json}\n`);
      last.set(`${result.set}/${result.id}`, result);
      if (results++ % REPRODUCE_EVERY === 0) {
        const set = sets.find((one) => one.version === result.set_version);
        if (set) expect(reproduce(set, JSON.parse(json)).difference).toBe(null);
      }
    }
  return {
    results,
    sha256: hash.digest('hex'),
    postures: tally([...last.values()].map((one) => [one.set, one.posture])),
    violated: violatedIn([...last.values()]),
  };
}

function tally(pairs: readonly (readonly [string, string])[]): { [set: string]: { [posture: string]: number } } {
  const counts: { [set: string]: { [posture: string]: number } } = {};
  for (const [set, posture] of [...pairs].sort()) {
    const ofSet = counts[set] ?? {};
    ofSet[posture] = (ofSet[posture] ?? 0) + 1;
    counts[set] = ofSet;
  }
  return counts;
}

function violatedIn(results: readonly Result[]): { [constraint: string]: number } {
  const counts = tally(
    results.flatMap((result) =>
      result.outcomes
        .filter(({ outcome }) => outcome === 'violated')
        .map(({ constraint }) => ['all', `${result.set}/${constraint}`] as const),
    ),
  );
  return counts.all ?? {};
}

function holdGolden(name: string, got: Golden): void {
  const file = fileURLToPath(new URL(`golden/${name}.json`, import.meta.url));
  if (process.env.PLUMBLINE_UPDATE_GOLDEN || !existsSync(file)) {
    if (process.env.CI) throw new Error(`there is no golden file for ${name}`);
    writeFileSync(file, `${JSON.stringify(got, null, 2)}\n`);
  }
  expect(got).toEqual(JSON.parse(readFileSync(file, 'utf8')));
}

const BOOK_END = Date.UTC(2026, 6, 1);
/** Where each data set's own time ends. */
const ENDS = [
  ['crm-sales-opportunities', Date.UTC(2018, 0, 1)],
  ['saas-subscription-churn-ravenstack', Date.UTC(2025, 0, 1)],
] as const;

describe('golden results', () => {
  for (const [name, end] of ENDS)
    it(`of ${name} stay the same, byte for byte`, async (context) => {
      const reason = reasonToSkip(name);
      if (reason) return context.skip(reason);
      holdGolden(name, scoreAll((await importData(name)).changes, end));
    });

  it('of the generated book stay the same, byte for byte', () => {
    holdGolden('generated-book', scoreAll([...generateBook({ seed: 1, until: BOOK_END })], BOOK_END));
  });
});
