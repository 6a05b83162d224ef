import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { loadContracts } from '../../../schemas/contracts.ts';
import { compileSet } from '../../../src/compiler/compile.ts';
import { runExamples } from '../../../src/scoring/run-examples.ts';
import { answer } from '../../../src/scoring/score.ts';

const FOLDER = new URL('../../../constraint-sets/', import.meta.url);
const contracts = loadContracts();
const shipped = readdirSync(FOLDER).map((file) => ({ file, text: readFileSync(new URL(file, FOLDER), 'utf8') }));
/** What every CRM keeps. */
const TYPICAL = ['prospecting', 'qualification', 'proposal', 'negotiation', 'won'].map((stage) => ({
  id: 'X1',
  account_id: 'A1',
  name: 'a name',
  owner: 'Kim',
  amount: 20_000,
  forecast_category: stage === 'negotiation' ? 'commit' : 'pipeline',
  stage,
}));

it('ships at least 25 constraints on deals and accounts', () => {
  const sets = shipped.map(({ file, text }) => compileSet(file, text, contracts).set);
  expect(sets.map((set) => set?.name)).toEqual(['deal-desk', 'pipeline-hygiene', 'renewal-risk']);
  expect(sets.flatMap((set) => set?.checked.constraints ?? []).length).toBeGreaterThanOrEqual(25);
  expect(sets.some((set) => (set?.accountReads.size ?? 0) > 0)).toBe(true);
});

describe.each(shipped)('$file', ({ file, text }) => {
  const { set, diagnostics } = compileSet(file, text, contracts);
  const runs = set ? runExamples(set) : [];

  it('checks clean, names its schema and is called as its file', () => {
    expect(diagnostics).toEqual([]);
    expect(text.split('\n', 1)[0]).toBe('# yaml-language-server: $schema=../schemas/constraint-set.schema.json');
    expect(`${set?.name}.yaml`).toBe(file);
  });

  it.each(runs)('$example.name', ({ mismatches }) => {
    expect(mismatches).toEqual([]);
  });

  it.each(set?.checked.constraints ?? [])(
    '$id has a fix and an owner, and each kind of example',
    ({ id, fix, owner }) => {
      expect(fix).not.toBeNull();
      expect(owner).not.toBeNull();
      const lines = runs.flatMap(({ result }) => result.outcomes.filter((line) => line.constraint === id));
      const told = lines.map(({ outcome }) => outcome);
      expect(told).toContain('satisfied');
      expect(told).toContain('violated');
      expect(lines.some(({ missing }) => missing !== undefined)).toBe(true);
    },
  );

  it.each(TYPICAL)('what every CRM keeps and nothing else is not critical: $stage', (fields) => {
    if (!set) return;
    const own = Object.fromEntries([...contracts[set.entity].fields.keys()].map((name) => [name, null]));
    const known = Object.entries(fields).filter(([name]) => name in own);
    const { result } = answer(set, {
      entity: set.entity,
      id: 'X1',
      accountId: 'A1',
      version: '1',
      imageSeq: 1,
      cause: { kind: 'change', event_id: 'e1' },
      fields: { ...own, ...Object.fromEntries(known) },
      account: null,
      waivers: [],
      now: Date.parse('2026-03-01T00:00:00Z'),
      previousBand: null,
      previousPosture: null,
    });
    expect(['healthy', 'watch', 'at_risk']).toContain(result.posture);
  });
});
