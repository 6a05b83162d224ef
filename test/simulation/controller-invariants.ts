import { decodeAnswered } from '../../consumers/audit.ts';
import { decodeIncident } from '../../consumers/incidents.ts';
import { decodeRequest } from '../../consumers/requests.ts';
import { recordsIn, type Storage } from '../../src/log/simulated/storage.ts';
import { isSignedBy } from '../../src/rollout/approval.ts';
import { openChain } from '../../src/rollout/chain.ts';
import { activeOf, NO_SET, targetOf } from '../../src/rollout/control-state.ts';
import { CONTROLLER } from '../../src/rollout/follow-up.ts';
import type { Policy } from '../../src/rollout/policy.ts';
import type { Request, Signal } from '../../src/rollout/request.ts';
import { isWithdrawal } from '../../src/runtime/withdrawal.ts';
import { jsonWire } from '../../src/wire/json-wire.ts';
import type { Check } from './invariants.ts';
import type { Step } from './rollout-log.ts';
import { topics } from './world.ts';

type Asked = Exclude<Request, Signal>;

/** What the controller decided, on what, and what it said of it. */
export function checkController(storage: Storage, steps: readonly Step[], policy: Policy, check: Check): void {
  const requests = requestsOn(storage);
  checkStates(steps, check);
  checkApprovals(steps, requests, policy, check);
  checkEnds(steps, check);
  checkStandstill(steps, check);
  checkOwnFacts(steps, check);
  checkAudit(storage, steps, requests, check);
  checkTold(storage, steps, check);
  const holds = openChain();
  for (const { record, fact } of steps)
    check(holds(record.value, fact.seal), 'chain', `what lies before fact ${record.offset} was changed`);
}

/** By id, in the order of their first arrival. */
function requestsOn(storage: Storage): ReadonlyMap<string, Asked> {
  const requests = new Map<string, Asked>();
  for (const record of recordsIn(storage, topics.requests, 0)) {
    if (Object.keys(record.headers).length > 0 || record.value === null) continue;
    const request = decodeRequest(record);
    if (request.kind !== 'signal' && !requests.has(request.id)) requests.set(request.id, request);
  }
  return requests;
}

function checkStates(steps: readonly Step[], check: Check): void {
  for (const { record, before, after } of steps) {
    check(after.offset === record.offset + 1 && after.offset > before.offset, 'offset', `${before.offset}`);
    for (const [name, set] of after.sets) {
      const where = `${name} after fact ${record.offset}`;
      const { rollout, stack } = set;
      check(new Set(stack).size === stack.length, 'one-active', `${where}: ${stack}`);
      if (rollout === null) continue;
      check(rollout.version !== activeOf(set), 'one-active', `${where}: ${rollout.version} is active and on its way`);
      const was = before.sets.get(name)?.rollout;
      const isSame = was?.version === rollout.version && was.proposedAt === rollout.proposedAt;
      check(!isSame || rollout.share >= was.share, 'one-active', `${where}: the canary shrinks`);
    }
  }
}

interface Ledger {
  readonly version: string;
  readonly author: string;
  evidence: string | null;
  hasPassed: boolean;
  /** When they expire, by key. */
  readonly approvals: Map<string, number>;
}

/** No version goes on without validation and enough approvals of exactly what was validated. */
function checkApprovals(
  steps: readonly Step[],
  requests: ReadonlyMap<string, Asked>,
  policy: Policy,
  check: Check,
): void {
  const ledgers = new Map<string, Ledger>();
  for (const { record, fact, before, after } of steps) {
    if (fact.set === null || !('version' in fact)) continue;
    const { set, version } = fact;
    const ledger = ledgers.get(set);
    const isTaken = before.sets.get(set)?.rollout !== after.sets.get(set)?.rollout;
    if (fact.kind === 'proposed' && isTaken)
      ledgers.set(set, { version, author: fact.by, evidence: null, hasPassed: false, approvals: new Map() });
    else if (fact.kind === 'validated' && isTaken && ledger?.version === version) {
      if (ledger.evidence !== fact.evidence) ledger.approvals.clear();
      ledger.evidence = fact.evidence;
      ledger.hasPassed = fact.verdict === 'pass';
    } else if (fact.kind === 'approved' && isTaken && ledger !== undefined) {
      const request = requests.get(fact.request ?? '');
      const key = policy.keys.find(({ fingerprint }) => fingerprint === fact.key);
      const isSound =
        request?.kind === 'approve' &&
        key !== undefined &&
        isSignedBy(request, request.signature, key) &&
        request.version === ledger.version &&
        request.evidence === ledger.evidence &&
        key.name !== ledger.author;
      check(isSound, 'approved', `fact ${record.offset}: nobody signed that`);
      if (isSound) ledger.approvals.set(fact.key, fact.expiresAt);
    } else if (
      fact.seal !== undefined &&
      (fact.kind === 'shadowed' || fact.kind === 'canaried' || fact.kind === 'activated')
    ) {
      const valid = [...(ledger?.approvals.values() ?? [])].filter((expiresAt) => expiresAt > fact.at).length;
      const isOnItsWay = before.sets.get(set)?.rollout?.version === version;
      check(
        isOnItsWay || before.sets === after.sets,
        'approved',
        `fact ${record.offset}: ${version} is ${fact.kind} when its rollout is over`,
      );
      check(
        ledger?.version === version && ledger.hasPassed && valid >= policy.approvals.needed,
        'approved',
        `fact ${record.offset}: ${version} is ${fact.kind} with ${valid} approvals of ${ledger?.evidence}`,
      );
    }
  }
}

/** What is given up, taken back or stopped is neither active nor on its way after it, and a rollback leads somewhere. */
function checkEnds(steps: readonly Step[], check: Check): void {
  for (const { record, fact, before, after } of steps) {
    if (fact.seal === undefined || fact.set === null) continue;
    const was = before.sets.get(fact.set) ?? NO_SET;
    const is = after.sets.get(fact.set) ?? NO_SET;
    const where = `fact ${record.offset}: ${fact.kind} of ${fact.set}`;
    if (fact.kind === 'rolled_back') {
      check(was.stack.includes(fact.version), 'target', `${where} to ${fact.version}, which never was active`);
      check(activeOf(is) === fact.version && is.rollout === null, 'target', `${where} leaves ${activeOf(is)}`);
    }
    if (fact.kind === 'aborted') check(is.rollout?.version !== fact.version, 'abort', `${where} leaves it on its way`);
    if (fact.kind === 'stopped') check(targetOf(was) === null, 'target', `${where}, which has one to go back to`);
  }
}

/** Nothing begins or goes on while it is frozen, or paused. */
function checkStandstill(steps: readonly Step[], check: Check): void {
  for (const { record, fact, before } of steps) {
    if (fact.seal === undefined || fact.set === null) continue;
    const set = before.sets.get(fact.set) ?? NO_SET;
    const isFrozen = set.frozen !== null || before.frozen !== null;
    const where = `fact ${record.offset}: ${fact.kind} of ${fact.set}`;
    const goesOn = fact.kind === 'canaried' || fact.kind === 'activated';
    if (goesOn || fact.kind === 'proposed' || fact.kind === 'shadowed' || fact.kind === 'resumed')
      check(!isFrozen, 'frozen', where);
    if (goesOn) check(!set.rollout?.isPaused, 'paused', where);
  }
}

/** A decision is made on all that the controller decided before it; and unless somebody else's came in between, it counts. */
function checkOwnFacts(steps: readonly Step[], check: Check): void {
  for (const { record, fact, before, after } of steps) {
    if (fact.seal === undefined) continue;
    const unseen = steps.slice(fact.seal.seen, record.offset).map((step) => step.fact);
    for (const { kind, request, seal } of unseen)
      check(
        seal === undefined || request === fact.request,
        'own-facts',
        `fact ${record.offset} was decided without ${kind} of ${request}`,
      );
    const isAlone = unseen.every(({ request }) => request === fact.request);
    const hasChanged = before.sets !== after.sets || before.frozen !== after.frozen;
    check(!isAlone || hasChanged, 'own-facts', `fact ${record.offset}: ${fact.kind} changes nothing`);
  }
}

/** Each request is answered once, in their order; what is accepted is one fact, and what is refused none. */
function checkAudit(
  storage: Storage,
  steps: readonly Step[],
  requests: ReadonlyMap<string, Asked>,
  check: Check,
): void {
  const answers = recordsIn(storage, topics.audit, 0).map((record) => decodeAnswered(record));
  check(
    JSON.stringify(answers.map(({ request }) => request)) === JSON.stringify([...requests.keys()]),
    'audit',
    'the answers are not those of the requests, each once',
  );
  const facts = new Map<string, number>();
  for (const { fact } of steps)
    if (fact.request !== undefined) facts.set(fact.request, (facts.get(fact.request) ?? 0) + 1);
  for (const { request, outcome } of answers)
    check(
      (facts.get(request) ?? 0) === (outcome === 'accepted' ? 1 : 0),
      'audit',
      `${request} is ${outcome}, with ${facts.get(request) ?? 0} facts`,
    );
}

/** What is taken back is told once, with its incident. */
function checkTold(storage: Storage, steps: readonly Step[], check: Check): void {
  const expected = steps
    .filter(({ fact }) => fact.seal !== undefined && isWithdrawal(fact, fact.by === CONTROLLER))
    .map(({ fact }) => `${fact.request} ${fact.set}`);
  const rollbacks = recordsIn(storage, topics.rollbacks, 0).map((record) => jsonWire.rollback.decode(record));
  const incidents = recordsIn(storage, topics.incidents, 0).map((record) => decodeIncident(record));
  for (const told of [rollbacks, incidents])
    check(
      JSON.stringify(told.map(({ id, set }) => `${id} ${set}`)) === JSON.stringify(expected),
      'told',
      `${told.length} of ${expected.length} are told`,
    );
}
