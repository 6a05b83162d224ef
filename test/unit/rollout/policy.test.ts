import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { DEFAULT_POLICY } from '../../../src/rollout/policy.ts';
import { runPolicyExamples } from '../../../src/rollout/policy-examples.ts';
import { readPolicy } from '../../../src/rollout/read-policy.ts';

const GOOD = /```yaml\n(apiVersion[\s\S]*?)```/.exec(readFileSync('docs/rollouts.md', 'utf8'))?.[1] ?? '';

describe('a policy', () => {
  it('is read as the example of docs/rollouts.md has it', () => {
    expect(readPolicy(GOOD, 'p.yaml')).toMatchObject({
      diagnostics: [],
      policy: {
        approvals: { needed: 1, roles: ['revops'] },
        keys: [{ name: 'ann', fingerprint: expect.stringMatching(/^[0-9a-f]{16}$/) }],
        shadow: { minAnswers: 100, minDurationMs: 3_600_000 },
        canary: { steps: [0.01, 0.05, 0.25, 0.5], minDurationMs: 3_600_000 },
        activeFaults: 10,
      },
    });
  });

  it('has the defaults for the system and the budget that docs/operations.md tells', () => {
    const told = /```yaml\n(system:[\s\S]*?)```/.exec(readFileSync('docs/operations.md', 'utf8'))?.[1] ?? '';
    const { policy, diagnostics } = readPolicy(`${GOOD}${told}`, 'p.yaml');
    expect(diagnostics).toEqual([]);
    expect({ system: policy?.system, budget: policy?.budget }).toEqual({
      system: DEFAULT_POLICY.system,
      budget: DEFAULT_POLICY.budget,
    });
    const { policy: without } = readPolicy(GOOD, 'p.yaml');
    expect(without).toMatchObject({ system: DEFAULT_POLICY.system, budget: DEFAULT_POLICY.budget });
  });

  it('is tried on examples of its own', () => {
    const policyWith = (expected: string) =>
      readPolicy(
        `${GOOD}examples:\n  - name: one in a hundred\n    counted: { answers: 100, faults: 1, stand: { "healthy>watch": 3 } }\n    proposed: ["healthy>watch=3"]\n    expect: ${expected}\n`,
        'p.yaml',
      ).policy;
    const failing = (expected: string) => {
      const policy = policyWith(expected);
      return policy === null ? 'no policy' : runPolicyExamples(policy).flatMap(({ mismatches }) => mismatches);
    };
    expect(failing('{ verdict: fail, guards: { fault_share: fail, unexpected_moves: pass } }')).toEqual([]);
    expect(failing('{ verdict: pass, guards: { critical_share: pass } }')).toEqual([
      expect.stringContaining('expected pass, the guards say fail: fault_share 0.01 (at most 0.001, 100 answers)'),
      'critical_share: there is no such guard',
    ]);
  });

  it.each([
    ['a step that is no step', 'steps: [0.01, 0.05, 0.25, 0.5]', 'steps: [0.5, 0.1]', 'PLB-POLICY-SHAPE', 8],
    ['a whole canary', 'steps: [0.01, 0.05, 0.25, 0.5]', 'steps: [1]', 'PLB-POLICY-SHAPE', 8],
    ['more approvals than keys', 'needed: 1', 'needed: 2', 'PLB-POLICY-KEYS', 4],
    ['keys of another role', 'role: revops,', 'role: sales,', 'PLB-POLICY-KEYS', 4],
    ['a key that is none', /public_key: \S+/, 'public_key: AAAA', 'PLB-POLICY-KEYS', 6],
    ['a duration without unit', 'min_duration: 1h', 'min_duration: 60', 'PLB-POLICY-SHAPE', 7],
    ['a metric that is not known', 'fault_share', 'faults', 'PLB-POLICY-SHAPE', 10],
    ['an unknown key', 'active_faults', 'active_fault', 'PLB-POLICY-SHAPE', 12],
  ])('refuses %s, with its place', (_, from, to, code, line) => {
    const text = GOOD.replace(from, to);
    expect(text).not.toBe(GOOD);
    const { policy, diagnostics } = readPolicy(text, 'p.yaml');
    expect(policy).toBe(null);
    expect(diagnostics.map((one) => ({ code: one.code, line: one.line }))).toContainEqual({ code, line });
  });
});
