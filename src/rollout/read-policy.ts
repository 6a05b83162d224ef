import { createPublicKey, type KeyObject } from 'node:crypto';
import type { Diagnostic } from '../language/diagnostics.ts';
import { type Findings, readShapedYaml } from '../language/shaped-yaml.ts';
import { noTally } from '../scoring/tally.ts';
import { fingerprintOf } from './approval.ts';
import { WINDOWED } from './guards.ts';
import { DEFAULT_POLICY, type Policy, type PolicyKey } from './policy.ts';
import { type PolicyDocument, policyShape } from './policy-shape.ts';

const MAX_POLICY_LENGTH = 256 * 1024;

export interface ReadPolicy {
  /** null where there is an error. */
  readonly policy: Policy | null;
  readonly diagnostics: readonly Diagnostic[];
}

/** Reads and checks a policy: codes PLB-POLICY-*, each with its line and column. */
export function readPolicy(text: string, file: string): ReadPolicy {
  const { document, findings } = readShapedYaml(text, file, policyShape, {
    what: 'the policy',
    maxLength: MAX_POLICY_LENGTH,
    codes: { yaml: 'PLB-POLICY-YAML', shape: 'PLB-POLICY-SHAPE', size: 'PLB-POLICY-SHAPE' },
  });
  if (!document) return { policy: null, diagnostics: findings.list };
  const policy = toPolicy(document, findings);
  return { policy: findings.list.length > 0 ? null : policy, diagnostics: findings.list };
}

function toPolicy(document: PolicyDocument, findings: Findings): Policy {
  const { approvals, shadow, canary, guards, follow_ups: followUps, system, budget } = document;
  for (const [index, { metric, degraded_over: degraded, critical_over: critical }] of (system.guards ?? []).entries())
    if (critical <= degraded)
      findings.add(
        'PLB-POLICY-SHAPE',
        ['system', 'guards', index, 'critical_over'],
        `\`${metric}\` is critical over ${critical}, and degraded over ${degraded} already`,
        'critical is the higher one',
      );
  const keys = document.keys.flatMap((key, index) => readKey(key, index, findings));
  const counting = keys.filter(({ role }) => approvals.roles.length === 0 || approvals.roles.includes(role));
  if (new Set(counting.map(({ name }) => name)).size < approvals.needed)
    findings.add(
      'PLB-POLICY-KEYS',
      ['approvals', 'needed'],
      `${approvals.needed} approvals are needed, and ${counting.length} keys are of a role that may give one`,
      'add keys, or ask for fewer',
    );
  if (canary.steps.some((step, index) => index > 0 && step <= (canary.steps[index - 1] ?? 0)))
    findings.add(
      'PLB-POLICY-SHAPE',
      ['canary', 'steps'],
      'the steps of a canary rise',
      'such as [0.01, 0.05, 0.25, 0.5]',
    );
  return {
    name: document.name,
    approvals,
    keys,
    shadow: { minAnswers: shadow.min_answers, minDurationMs: shadow.min_duration },
    canary: {
      minAnswers: canary.min_answers,
      minDurationMs: canary.min_duration,
      steps: canary.steps,
      minAccounts: canary.min_accounts,
      isAutomatic: canary.automatic,
      pinned: canary.pinned,
      excluded: canary.excluded,
    },
    guards: guards.map(({ metric, at_most: atMost, min_answers: minAnswers, window }, index) => {
      if (window !== undefined && !WINDOWED.has(metric))
        findings.add(
          'PLB-POLICY-SHAPE',
          ['guards', index, 'window'],
          `\`${metric}\` says how things stand, and has no window of time`,
          `leave it out; ${[...WINDOWED].join(' and ')} have one`,
        );
      return { metric, atMost, minAnswers, windowMs: window ?? null };
    }),
    activeFaults: document.active_faults,
    system: {
      guards:
        system.guards?.map(
          ({ metric, degraded_over: degradedOver, critical_over: criticalOver, window, min_samples }) => ({
            ...{ metric, degradedOver, criticalOver, windowMs: window, minSamples: min_samples },
          }),
        ) ?? DEFAULT_POLICY.system.guards,
      recoverAfterMs: system.recover_after,
    },
    budget: {
      caps: budget.caps?.map(({ metric, at_most: atMost }) => ({ metric, atMost })) ?? DEFAULT_POLICY.budget.caps,
      sweptPerSecond: budget.swept_per_second,
      inFlight: budget.in_flight,
      shedAfterMs: budget.shed_after,
      relaxAfterMs: budget.relax_after,
    },
    examples: document.examples.map(({ name, counted: { stand, ...counts }, proposed, expect }) => ({
      name,
      tally: { ...noTally('example'), ...counts, pairs: stand },
      proposed,
      expect,
    })),
    followUps: {
      owner: followUps.owner ?? null,
      escalateTo: followUps.escalate_to ?? null,
      approvalWithinMs: followUps.approval_within,
      gateWithinMs: followUps.gate_within,
      riskWithinMs: followUps.risk_within,
    },
  };
}

function readKey(
  { name, role, public_key: text }: PolicyDocument['keys'][number],
  index: number,
  findings: Findings,
): PolicyKey[] {
  const key = publicKeyOf(text);
  if (key !== null)
    return [
      { name, role, publicKey: String(key.export({ type: 'spki', format: 'pem' })), fingerprint: fingerprintOf(key) },
    ];
  findings.add(
    'PLB-POLICY-KEYS',
    ['keys', index, 'public_key'],
    'expected an Ed25519 public key: PEM, or the base64 between its lines',
    '`plumbline keys make FILE` makes a pair and prints it',
  );
  return [];
}

export function publicKeyOf(text: string): KeyObject | null {
  const pem = text.includes('-----') ? text : `-----BEGIN PUBLIC KEY-----\n${text.trim()}\n-----END PUBLIC KEY-----\n`;
  try {
    const key = createPublicKey(pem);
    return key.asymmetricKeyType === 'ed25519' ? key : null;
  } catch {
    return null;
  }
}
