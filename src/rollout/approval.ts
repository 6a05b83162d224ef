import { createHash, createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import { formatInstant } from '../language/contract.ts';
import type { Approval } from './control-state.ts';
import type { Policy, PolicyKey } from './policy.ts';
import type { ApprovalTerms } from './request.ts';

/** The bytes that are signed: the terms as canonical JSON, with what they are for. */
export const approvalBytes = ({ set, version, baseline, evidence, role, expiresAt }: ApprovalTerms): Uint8Array =>
  Buffer.from(
    JSON.stringify({
      baseline,
      evidence,
      expires_at: formatInstant(expiresAt),
      for: 'plumbline/v1 approval',
      role,
      set,
      version,
    }),
  );

/** @param key an Ed25519 private key */
export const signApproval = (terms: ApprovalTerms, key: KeyObject): string =>
  sign(null, approvalBytes(terms), key).toString('base64');

export function isSignedBy(terms: ApprovalTerms, signature: string, key: PolicyKey): boolean {
  try {
    return verify(null, approvalBytes(terms), createPublicKey(key.publicKey), Buffer.from(signature, 'base64'));
  } catch {
    return false;
  }
}

/** Names a key: the first 16 hex digits of the hash of its public half. */
export const fingerprintOf = (key: KeyObject): string =>
  createHash('sha256')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest('hex')
    .slice(0, 16);

/**
 * Approvals that hold now: in time, of keys that are in the ring still and of a role that counts. Of one person's keys
 * one counts: as many people have to look as approvals are needed.
 */
export function validApprovals(
  approvals: readonly Approval[],
  { keys, approvals: { roles } }: Policy,
  now: number,
): readonly Approval[] {
  const people = new Set<string>();
  return approvals.filter(({ expiresAt, key, role }) => {
    const known = keys.find(({ fingerprint }) => fingerprint === key);
    if (known === undefined || expiresAt <= now || people.has(known.name)) return false;
    if (known.role !== role || (roles.length > 0 && !roles.includes(role))) return false;
    people.add(known.name);
    return true;
  });
}
