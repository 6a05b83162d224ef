import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fingerprintOf, signApproval } from '../../../src/rollout/approval.ts';
import {
  activeOf,
  baselineOf,
  type ControlState,
  isApproved,
  NO_FACTS,
  reduce,
} from '../../../src/rollout/control-state.ts';
import { type Decided, decide } from '../../../src/rollout/decide.ts';
import { DEFAULT_POLICY, type Policy } from '../../../src/rollout/policy.ts';
import type { RolloutRequest } from '../../../src/rollout/request.ts';
import type { ControlFact } from '../../../src/scoring/control-fact.ts';

type Asked = RolloutRequest;

const PEOPLE = ['ann', 'bob', 'eve'] as const;
const KEYS = new Map<string, { readonly privateKey: KeyObject; readonly fingerprint: string; readonly pem: string }>(
  PEOPLE.map((name) => {
    const { publicKey, privateKey } = generateKeyPairSync('ed25519');
    const pem = String(publicKey.export({ type: 'spki', format: 'pem' }));
    return [name, { privateKey, fingerprint: fingerprintOf(publicKey), pem }];
  }),
);
/** Eve's key is in nobody's ring. */
const policy: Policy = {
  ...DEFAULT_POLICY,
  approvals: { needed: 1, roles: ['revops'] },
  keys: ['ann', 'bob'].flatMap((name) => {
    const key = KEYS.get(name);
    return key ? [{ name, role: 'revops', publicKey: key.pem, fingerprint: key.fingerprint }] : [];
  }),
  canary: { ...DEFAULT_POLICY.canary, steps: [0.1, 0.5] },
};
const VERSIONS = ['1', '2', '3', '4'];
const SETS = ['s', 't'];

interface Played {
  readonly state: ControlState;
  readonly facts: readonly ControlFact[];
}

const START: Played = { state: NO_FACTS, facts: [] };

function ask(
  { state, facts }: Played,
  request: Asked,
): Played & { readonly code: string | null; readonly given: number } {
  const decision = decide(state, request, {
    policy,
    now: request.at,
    isKnown: (_, version) => VERSIONS.includes(version),
    blockedBy: () => null,
    areRolloutsOn: true,
    accounts: null,
  });
  if ('refusal' in decision) return { state, facts, code: decision.refusal.code, given: 0 };
  const given = decision.facts.map((fact: Decided) => ({ ...fact, at: request.at, by: request.by }) as ControlFact);
  return { state: given.reduce(reduce, state), facts: [...facts, ...given], code: null, given: given.length };
}

const who = fc.constantFrom(...PEOPLE);
const base = { id: fc.uuid(), at: fc.integer({ min: 1, max: 1_000 }), by: who };
const set = fc.constantFrom(...SETS);
const version = fc.constantFrom(...VERSIONS);
const evidence = fc.constantFrom('e1', 'e2');

const request: fc.Arbitrary<Asked> = fc.oneof(
  fc.record({ ...base, kind: fc.constant('propose' as const), set, version, moves: fc.constant([]) }),
  fc.record({
    ...base,
    kind: fc.constant('record_validation' as const),
    set,
    version,
    evidence,
    verdict: fc.constantFrom('pass' as const, 'pass' as const, 'fail' as const, 'inconclusive' as const),
  }),
  fc
    .record({
      ...base,
      set,
      version,
      evidence,
      baseline: fc.option(version),
      expiresAt: fc.integer({ min: 1, max: 3_000 }),
      signer: who,
    })
    .map(({ signer, ...rest }): Asked => {
      const key = KEYS.get(signer);
      const terms = { ...rest, role: 'revops' };
      return {
        ...terms,
        kind: 'approve',
        key: key?.fingerprint ?? '',
        signature: key ? signApproval(terms, key.privateKey) : '',
      };
    }),
  fc.record({
    ...base,
    kind: fc.constantFrom('shadow', 'promote', 'pause', 'resume', 'abort'),
    set,
    version,
  }) as fc.Arbitrary<Asked>,
  fc.record({ ...base, kind: fc.constant('roll_back' as const), set }),
  fc.record({ ...base, kind: fc.constantFrom('freeze' as const, 'unfreeze' as const), set: fc.option(set) }),
);

/** What would come next of a set: random requests alone hardly ever come far. */
function nextOf(state: ControlState, name: string, at: number): Asked | null {
  const rollout = state.sets.get(name)?.rollout ?? null;
  if (rollout === null) return null;
  const on = { id: 'n', at, by: 'bob', set: name, version: rollout.version };
  if (rollout.phase !== 'proposed') return { ...on, kind: rollout.isPaused ? 'resume' : 'promote' };
  if (rollout.evidence?.verdict !== 'pass')
    return { ...on, kind: 'record_validation', evidence: 'e1', verdict: 'pass' };
  if (rollout.approvals.length > 0) return { ...on, kind: 'shadow' };
  const signer = rollout.author === 'ann' ? 'bob' : 'ann';
  const key = KEYS.get(signer);
  const { baseline, evidence } = rollout;
  const terms = {
    set: name,
    version: rollout.version,
    baseline,
    evidence: evidence.hash,
    role: 'revops',
    expiresAt: at + 500,
  };
  if (key === undefined) return null;
  return {
    ...on,
    ...terms,
    by: signer,
    kind: 'approve',
    key: key.fingerprint,
    signature: signApproval(terms, key.privateKey),
  };
}

/** What each fact must not break, looked at before and after it. */
function brokenBy(before: ControlState, fact: ControlFact, after: ControlState): readonly string[] {
  const broken: string[] = [];
  if (after.offset !== before.offset + 1) broken.push('the offset goes up by one');
  for (const [name, state] of after.sets) {
    const { rollout, stack } = state;
    if (new Set(stack).size !== stack.length) broken.push(`${name}: a version is active twice`);
    if (rollout !== null && rollout.phase !== 'proposed' && !isApproved(rollout))
      broken.push(`${name}: version ${rollout.version} is on its way without validation and approval`);
    if (rollout !== null && rollout.baseline !== baselineOf(state))
      broken.push(`${name}: it stands beside another baseline`);
    if (rollout !== null && rollout.version === activeOf(state)) broken.push(`${name}: what is active is on its way`);
    const was = before.sets.get(name)?.rollout ?? null;
    if (rollout !== null && was?.version === rollout.version && rollout.share < was.share && fact.kind !== 'proposed')
      broken.push(`${name}: the share of a canary goes back`);
  }
  if (fact.kind === 'rolled_back') {
    const was = before.sets.get(fact.set);
    if (was === undefined || !was.stack.includes(fact.version))
      broken.push(`${fact.set}: a rollback to what never was active`);
  }
  return broken;
}

describe('the controller', () => {
  it('keeps its promises over random histories, and a replay of the facts gives the same state', () => {
    let accepted = 0;
    const reached = new Set<string>();
    fc.assert(
      fc.property(fc.array(fc.tuple(request, fc.boolean(), set), { minLength: 20, maxLength: 60 }), (steps) => {
        let played: Played = START;
        for (const [one, isNext, name] of steps) {
          const next = ask(played, (isNext && nextOf(played.state, name, one.at)) || one);
          accepted += next.given;
          played = next;
        }
        let state = NO_FACTS;
        for (const fact of played.facts) {
          const after = reduce(state, fact);
          expect(brokenBy(state, fact, after)).toEqual([]);
          for (const { rollout } of after.sets.values()) if (rollout !== null) reached.add(rollout.phase);
          state = after;
        }
        expect(state).toEqual(played.state);
      }),
      { numRuns: 1_000 },
    );
    // The histories are worth something: they come everywhere.
    expect(accepted).toBeGreaterThan(1_000);
    expect([...reached].sort()).toEqual(['canary', 'proposed', 'shadow']);
  });

  it('stays sound whatever facts come, also those that nobody would decide', () => {
    const said = { at: fc.integer({ min: 0, max: 100 }), by: who };
    const ofVersion = { ...said, set, version };
    const fact = fc.oneof(
      fc.record({
        ...ofVersion,
        kind: fc.constantFrom('activated', 'rolled_back', 'shadowed', 'paused', 'resumed', 'aborted', 'acknowledged'),
      }),
      fc.record({ ...ofVersion, kind: fc.constant('proposed'), baseline: fc.option(version), moves: fc.constant([]) }),
      fc.record({ ...ofVersion, kind: fc.constant('validated'), evidence, verdict: fc.constantFrom('pass', 'fail') }),
      fc.record({
        ...ofVersion,
        kind: fc.constant('approved'),
        baseline: fc.option(version),
        evidence,
        role: who,
        key: who,
        expiresAt: fc.nat(),
      }),
      fc.record({ ...ofVersion, kind: fc.constant('canaried'), step: fc.nat(3), share: fc.double({ noNaN: true }) }),
      fc.record({ ...said, set, kind: fc.constantFrom('retired', 'stopped') }),
      fc.record({ ...said, set: fc.option(set), kind: fc.constantFrom('frozen', 'unfrozen') }),
      fc.constant({ kind: 'other' }),
    ) as unknown as fc.Arbitrary<ControlFact>;
    fc.assert(
      fc.property(fc.array(fact, { maxLength: 80 }), (facts) => {
        let state = NO_FACTS;
        for (const one of facts) {
          const after = reduce(state, one);
          // A rollback by hand may name anything: it is made the active version.
          if (one.kind !== 'rolled_back') expect(brokenBy(state, one, after)).toEqual([]);
          state = after;
        }
      }),
      { numRuns: 3_000 },
    );
  });
});

describe('a request', () => {
  const said = { id: 'r', at: 10, by: 'eve' };
  const on = { set: 's', version: '2' };
  const approve = (by: 'ann' | 'bob' | 'eve', more: object = {}): Asked => {
    const key = KEYS.get(by);
    const terms = { ...on, baseline: '1', evidence: 'e1', role: 'revops', expiresAt: 1_000, ...more };
    return {
      ...said,
      ...terms,
      by,
      kind: 'approve',
      key: key?.fingerprint ?? '',
      signature: key ? signApproval(terms, key.privateKey) : '',
    };
  };
  const validated: Played = [
    { kind: 'activated', set: 's', version: '1', at: 1, by: 'x' } as const,
    { kind: 'proposed', ...on, baseline: '1', moves: [], at: 2, by: 'eve' } as const,
    { kind: 'validated', ...on, evidence: 'e1', verdict: 'pass', at: 3, by: 'eve' } as const,
  ].reduce<Played>(({ state, facts }, fact) => ({ state: reduce(state, fact), facts: [...facts, fact] }), START);
  const codeOf = (played: Played, one: Asked) => ask(played, one).code;

  it('to approve counts by key, role, evidence, baseline and time, and not from the author', () => {
    expect(codeOf(validated, approve('ann'))).toBe(null);
    expect(codeOf(validated, approve('eve'))).toBe('PLB-ROLLOUT-APPROVAL');
    expect(codeOf(validated, { ...approve('ann'), by: 'eve' })).toBe('PLB-ROLLOUT-AUTHOR');
    expect(codeOf(validated, approve('ann', { evidence: 'e2' }))).toBe('PLB-ROLLOUT-EVIDENCE');
    expect(codeOf(validated, approve('ann', { baseline: '3' }))).toBe('PLB-ROLLOUT-EVIDENCE');
    expect(codeOf(validated, approve('ann', { expiresAt: 9 }))).toBe('PLB-ROLLOUT-EXPIRED');
    expect(codeOf(validated, approve('ann', { role: 'sales' }))).toBe('PLB-ROLLOUT-APPROVAL');
    expect(codeOf(validated, { ...approve('ann'), expiresAt: 2_000 } as Asked)).toBe('PLB-ROLLOUT-APPROVAL');
  });

  it('to freeze is of a set that is there, or of all', () => {
    const freeze = (kind: 'freeze' | 'unfreeze', of: string | null): Asked => ({ ...said, kind, set: of });
    expect(codeOf(validated, freeze('freeze', 'else'))).toBe('PLB-ROLLOUT-NONE');
    const frozen = ask(validated, freeze('freeze', 's'));
    expect(codeOf(frozen, freeze('unfreeze', null))).toBe('PLB-ROLLOUT-FROZEN');
    expect(codeOf(frozen, { ...said, ...on, kind: 'shadow' })).toBe('PLB-ROLLOUT-FROZEN');
    expect(ask(frozen, freeze('unfreeze', 's')).state.sets.get('s')?.frozen).toBe(null);
  });

  it('to go on needs the approvals to be in time still', () => {
    const approved = ask(validated, approve('ann', { expiresAt: 50 }));
    const shadow = (at: number): Asked => ({ ...said, ...on, at, kind: 'shadow' });
    expect(codeOf(approved, shadow(49))).toBe(null);
    expect(codeOf(approved, shadow(50))).toBe('PLB-ROLLOUT-APPROVAL');
  });

  it('to abort, late, is a rollback; and a rollback without a target is refused', () => {
    let played: Played = ask(validated, approve('ann'));
    for (const kind of ['shadow', 'promote', 'promote', 'promote'] as const)
      played = ask(played, { ...said, ...on, kind });
    expect(played.facts.at(-1)).toMatchObject({ kind: 'activated', version: '2' });
    const aborted = ask(played, { ...said, ...on, kind: 'abort' });
    expect(aborted.facts.at(-1)).toMatchObject({ kind: 'rolled_back', version: '1' });
    expect(codeOf(aborted, { ...said, set: 's', kind: 'roll_back' })).toBe('PLB-ROLLOUT-TARGET');
  });

  it('to propose for a stopped set comes through without anything to stand beside', () => {
    const stopped = reduce(validated.state, { kind: 'stopped', set: 's', at: 3, by: 'x' });
    let played: Played = { state: stopped, facts: [] };
    expect(codeOf(played, { ...said, set: 's', version: '1', kind: 'propose', moves: [] })).toBe('PLB-ROLLOUT-SAME');
    played = ask(played, { ...said, ...on, kind: 'propose', moves: [] });
    expect(played.facts.at(-1)).toMatchObject({ kind: 'proposed', baseline: null });
    played = ask(played, { ...said, ...on, kind: 'record_validation', evidence: 'e1', verdict: 'pass' });
    played = ask(played, approve('ann', { baseline: null }));
    for (const kind of ['shadow', 'promote'] as const) played = ask(played, { ...said, ...on, kind });
    expect(played.state.sets.get('s')).toMatchObject({ stack: ['1', '2'], isStopped: false });
  });

  it('to promote gives nothing where somebody activated another version before its fact', () => {
    let played: Played = ask(validated, approve('ann'));
    played = ask(played, { ...said, ...on, kind: 'shadow' });
    const other = reduce(played.state, { kind: 'activated', set: 's', version: '3', at: 4, by: 'x' });
    const promoted = { kind: 'activated', ...on, at: 4, by: 'eve', seal: { seen: 5, prev: '' } } as const;
    expect(reduce(other, promoted).sets).toBe(other.sets);
    expect(reduce(played.state, promoted).sets.get('s')?.stack).toEqual(['1', '2']);
  });
});
