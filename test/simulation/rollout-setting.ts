import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { fingerprintOf } from '../../src/rollout/approval.ts';
import { DEFAULT_POLICY, type Policy } from '../../src/rollout/policy.ts';
import { controlStage } from '../../src/runtime/control-stage.ts';
import { openSignaller } from '../../src/runtime/signals.ts';
import { fakeAnswer, fakeSet } from './fake-set.ts';
import type { Chance } from './prng.ts';
import type { Setting } from './world.ts';

/** What f faults on. */
export const FAULTY_AMOUNT = 7;

/**
 * Versions that are rolled out, by what is the matter with them: c and g are sound and say what a says; d doesn't look
 * at the account; m moves a third of the entities; f and k fault on one image in nine, at different amounts; s is slow.
 */
export const ROLLED = new Map(
  [
    fakeSet('desk', 'deal', 'a-desk'),
    fakeSet('desk', 'deal', 'c-desk'),
    fakeSet('desk', 'deal', 'd-desk', undefined, []),
    fakeSet('desk', 'deal', 'f-desk', FAULTY_AMOUNT, []),
    fakeSet('desk', 'deal', 'g-desk'),
    fakeSet('desk', 'deal', 'k-desk', 3),
    fakeSet('desk', 'deal', 'm-desk'),
    fakeSet('desk', 'deal', 's-desk'),
    // Not rolled out; it faults, without anything to fall back to, while the others go on.
    fakeSet('hygiene', 'deal', 'a-hygiene', 8),
    fakeSet('renewal', 'account', 'a-renewal'),
    fakeSet('renewal', 'account', 'c-renewal'),
  ].map((set) => [set.version, set]),
);

export const ROLLED_SETS = { deal: ['desk', 'hygiene'], account: ['renewal'] } as const;
export const versionsOf = (set: string): readonly string[] =>
  [...ROLLED.values()].filter(({ name }) => name === set).map(({ version }) => version);

/** So long one answer of the slow version takes, by the clock of the world. */
const SLOW_MS = 2_000;
const SLOW = 's-desk';

/** Ann, bob and cat may approve; eve's key is in nobody's ring. */
export const PEOPLE = ['ann', 'bob', 'cat', 'eve'] as const;
export const ROLE = 'revops';

export interface Signer {
  readonly privateKey: KeyObject;
  readonly fingerprint: string;
  readonly publicKey: string;
}

export const SIGNERS: ReadonlyMap<string, Signer> = new Map(
  PEOPLE.map((name) => {
    const { publicKey, privateKey } = generateKeyPairSync('ed25519');
    const pem = String(publicKey.export({ type: 'spki', format: 'pem' }));
    return [name, { privateKey, fingerprint: fingerprintOf(publicKey), publicKey: pem }];
  }),
);

/** Strict or lax, with steps that follow by themselves or not. */
export function policyOf(chance: Chance): Policy {
  const gate = { minAnswers: 1 + chance.below(3), minDurationMs: chance.pick([1_000, 20_000]) };
  const isStrict = chance.is(0.6);
  return {
    name: 'simulated',
    approvals: { needed: 1 + chance.below(2), roles: chance.pick([[], [ROLE]]) },
    keys: [...SIGNERS].flatMap(([name, { fingerprint, publicKey }]) =>
      name === 'eve' ? [] : [{ name, role: ROLE, fingerprint, publicKey }],
    ),
    shadow: gate,
    canary: {
      ...gate,
      steps: chance.pick([[0.5], [0.3, 0.6], [0.2, 0.4, 0.8]]),
      minAccounts: chance.below(3),
      isAutomatic: chance.is(0.5),
      pinned: chance.pick([[], ['A1']]),
      excluded: chance.pick([[], ['A2']]),
    },
    guards: [
      { metric: 'fault_share', windowMs: null, atMost: isStrict ? 0.01 : 0.9, minAnswers: 3 },
      { metric: 'unexpected_moves', windowMs: null, atMost: isStrict ? 0 : 100, minAnswers: 3 },
    ],
    activeFaults: chance.pick([2, 4]),
    followUps: DEFAULT_POLICY.followUps,
    examples: [],
    system: DEFAULT_POLICY.system,
    budget: DEFAULT_POLICY.budget,
  };
}

/** @param pass told of the time that an answer takes */
export const rolloutSetting = (policy: Policy, pass: (ms: number) => void): Setting => ({
  versions: ROLLED,
  answer: (set, subject) => {
    if (set.version === SLOW) pass(SLOW_MS);
    return fakeAnswer(set, subject);
  },
  processes: 2,
  control: (parts) => controlStage({ ...parts, policy }),
  signaller: openSignaller,
});
