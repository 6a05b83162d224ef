import { changeRecord } from '../../producers/changes.ts';
import { factRecord } from '../../producers/control.ts';
import { requestRecord } from '../../producers/requests.ts';
import { setRecord } from '../../producers/sets.ts';
import { formatInstant } from '../../src/language/contract.ts';
import type { NewRecord } from '../../src/log/port.ts';
import { recordsIn } from '../../src/log/simulated/storage.ts';
import { signApproval } from '../../src/rollout/approval.ts';
import { activeOf, NO_SET } from '../../src/rollout/control-state.ts';
import type { Policy } from '../../src/rollout/policy.ts';
import type { Request, Signal } from '../../src/rollout/request.ts';
import { append, change, closeImports, redriveOne, settle } from './history.ts';
import type { Chance } from './prng.ts';
import { controlStateOf } from './rollout-log.ts';
import { PEOPLE, ROLE, ROLLED, SIGNERS, versionsOf } from './rollout-setting.ts';
import { topics, type World } from './world.ts';

type Asked = Exclude<Request, Signal>;

const OPERATIONS = 60;
const ROLLED_OUT = ['desk', 'desk', 'desk', 'renewal'] as const;
/** Rounds without a fact after which nothing follows by itself any more; a heartbeat lies between two. */
const QUIET_ROUNDS = 3;
const ROUND_MS = 21_000;
const MAX_ROUNDS = 60;

/** Plays one history from its seed: versions on their way, among changes, time and turns of two processes. */
export async function playRollouts(world: World, chance: Chance, policy: Policy): Promise<void> {
  await begin(world, chance.pick(['a-desk', 'd-desk']));
  const imports = new Set<string>();
  const versions = new Map<string, number>();
  const sent: NewRecord[] = [];
  const held: NewRecord[] = [];
  // Somebody else who writes to the control log.
  const isShared = chance.is(0.4);
  let number = 0;

  async function ask(request: Asked): Promise<void> {
    const record = requestRecord(topics, request);
    sent.push(record);
    if (chance.is(0.1)) held.push(record);
    else await append(world, [record]);
    if (chance.is(0.1)) await append(world, [chance.pick(sent)]);
  }

  const said = () => ({ id: `r${number++}`, at: world.now });

  for (let i = 0; i < OPERATIONS; i++) {
    const roll = chance.below(40);
    const set = chance.pick(ROLLED_OUT);
    if (roll < 17) await ask(nextOf(world, chance, policy, set, said()));
    else if (roll < 19) await ask(anyOf(world, chance, set, said()));
    else if (roll === 19) for (const one of promotedAndAborted(world, chance, set, said)) await ask(one);
    else if (roll < 31)
      await append(world, [
        chance.is(0.2) ? change(world, chance, i, imports, versions) : plainChange(world, chance, `p${i}`, versions),
      ]);
    else if (roll === 31 && isShared) await append(world, [foreignFact(world, chance, set)]);
    else if (roll === 32 && isShared) await redriveOne(world, chance);
    else if (roll < 35) await deliver(world, chance, held);
    else world.now += chance.below(30_000);
    await someTurns(world, chance);
  }
  await append(world, held);
  await closeImports(world, imports);
  world.calm();
  while (world.late.length > 0) await deliver(world, chance, held);
  await comeToRest(world);
}

/** The sets as they are first, and a few entities. */
export async function begin(world: World, desk: string): Promise<void> {
  await append(
    world,
    [...ROLLED.values()].map(({ version, name }) => setRecord(topics, { version, name, document: '' })),
  );
  for (const version of [desk, 'a-hygiene', 'a-renewal'])
    await append(world, [factRecord(topics, activation(world, version))]);
}

const activation = (world: World, version: string) => ({
  kind: 'activated' as const,
  set: ROLLED.get(version)?.name ?? '',
  version,
  at: world.now,
  by: 'test',
});

async function someTurns(world: World, chance: Chance): Promise<void> {
  for (let turns = chance.below(8); turns > 0; turns--) {
    const names = new Set(chance.is(0.3) ? [0, 1, 2].map(() => chance.pick(world.names)) : [chance.pick(world.names)]);
    if (chance.is(0.6)) names.add('control');
    const both = chance.is(0.1);
    await Promise.all(
      [...names].flatMap((name) => {
        const process = chance.is(0.9) ? 0 : 1;
        // Two that believe that the same task is theirs, at once.
        return both ? [world.turn(name, 0), world.turn(name, 1)] : [world.turn(name, process)];
      }),
    );
  }
}

/** Until time alone moves nothing any more. */
export async function comeToRest(world: World): Promise<void> {
  let facts = -1;
  let quiet = 0;
  for (let round = 0; quiet < QUIET_ROUNDS; round++) {
    if (round > MAX_ROUNDS) throw new Error('the controller never comes to rest');
    await settle(world);
    const now = recordsIn(world.storage, topics.control, 0).length;
    quiet = now === facts ? quiet + 1 : 0;
    facts = now;
    world.now += ROUND_MS;
  }
  await settle(world);
}

/** A request, or a signal, that was held back arrives. */
async function deliver(world: World, chance: Chance, held: NewRecord[]): Promise<void> {
  const [signals] = world.late.splice(chance.below(world.late.length), 1);
  if (signals !== undefined) await append(world, signals);
  const [request] = held.splice(chance.below(held.length), 1);
  if (request !== undefined) await append(world, [request]);
}

/** Complete, in order, live: what there is most of. */
function plainChange(world: World, chance: Chance, eventId: string, versions: Map<string, number>): NewRecord {
  const entity = chance.is(0.7) ? ('deal' as const) : ('account' as const);
  const number = chance.below(entity === 'deal' ? 6 : ACCOUNTS);
  const key = `${entity} ${number}`;
  const version = (versions.get(key) ?? 0) + 1;
  versions.set(key, version);
  const value = chance.below(entity === 'deal' ? 9 : 4);
  return plainRecord(world, entity, number, { eventId, version, value });
}

const ACCOUNTS = 3;

/** @param value the amount of a deal, or the employees of an account */
export function plainRecord(
  world: World,
  entity: 'deal' | 'account',
  number: number,
  { eventId, version, value }: { readonly eventId: string; readonly version: number; readonly value: number },
): NewRecord {
  const id = entity === 'deal' ? `D${number}` : `A${number}`;
  const json = {
    event_id: eventId,
    entity,
    id,
    version: String(version),
    changed_at: formatInstant(world.now),
    op: 'upsert',
    ...(entity === 'deal' ? { account_id: `A${number % ACCOUNTS}` } : {}),
    fields: entity === 'deal' ? { stage: 'won', amount: value } : { name: 'x', employees: value },
  };
  return changeRecord(topics, { entity, id }, JSON.stringify(json), { kind: 'live', atMs: world.now });
}

type Said = Pick<Asked, 'id' | 'at'>;

/** What would come next of a set: random requests alone hardly ever come far. */
export function nextOf(world: World, chance: Chance, policy: Policy, set: string, said: Said): Asked {
  const state = controlStateOf(world.storage);
  const { rollout, frozen } = state.sets.get(set) ?? NO_SET;
  const by = chance.pick(PEOPLE);
  if (frozen !== null || state.frozen !== null)
    return { ...said, by, kind: 'unfreeze', set: frozen === null ? null : set };
  if (rollout === null) return proposal(chance, set, { ...said, by });
  const on = { ...said, by, set, version: rollout.version };
  if (rollout.phase !== 'proposed') return { ...on, kind: rollout.isPaused ? 'resume' : 'promote' };
  // Sometimes once more, between the approvals and what they are for.
  if (rollout.evidence?.verdict !== 'pass' || (rollout.approvals.length > 0 && chance.is(0.2)))
    return { ...on, kind: 'record_validation', evidence: `e${chance.below(2)}`, verdict: 'pass' };
  if (rollout.approvals.length >= policy.approvals.needed) return { ...on, kind: 'shadow' };
  const terms = { baseline: rollout.baseline, evidence: rollout.evidence.hash };
  const others = PEOPLE.filter(
    (name) => name !== rollout.author && name !== 'eve' && !rollout.approvals.some((given) => given.by === name),
  );
  return approval(chance, { ...on, ...terms, by: chance.is(0.1) ? 'eve' : chance.pick(others) });
}

function proposal(chance: Chance, set: string, said: Said & { readonly by: string }): Asked {
  const move = { from: 'healthy', to: 'watch', atMost: chance.pick([1, 5]), of: 'count' } as const;
  return { ...said, kind: 'propose', set, version: chance.pick(versionsOf(set)), moves: chance.is(0.3) ? [move] : [] };
}

type Terms = Omit<Extract<Asked, { kind: 'approve' }>, 'kind' | 'key' | 'signature' | 'role' | 'expiresAt'>;

function approval(chance: Chance, on: Terms): Asked {
  const signer = SIGNERS.get(on.by);
  if (signer === undefined) throw new Error(`${on.by} has no key`);
  const terms = { ...on, role: ROLE, expiresAt: on.at + chance.pick([10_000, 3_600_000, 3_600_000]) };
  const signature = signApproval(terms, signer.privateKey);
  return { ...terms, kind: 'approve', key: signer.fingerprint, signature };
}

function anyOf(world: World, chance: Chance, set: string, said: Said): Asked {
  const { rollout } = controlStateOf(world.storage).sets.get(set) ?? NO_SET;
  const by = chance.pick(PEOPLE);
  const version = rollout !== null && chance.is(0.7) ? rollout.version : chance.pick(versionsOf(set));
  const on = { ...said, by, set, version };
  switch (chance.below(6)) {
    case 0:
      return { ...on, kind: chance.pick(['shadow', 'promote', 'pause', 'resume', 'abort'] as const) };
    case 1:
      return {
        ...said,
        by,
        kind: chance.pick(['freeze', 'unfreeze', 'unfreeze'] as const),
        set: chance.pick([null, set]),
      };
    case 2:
      return { ...said, by, kind: 'roll_back', set };
    case 3:
      return {
        ...on,
        kind: 'record_validation',
        evidence: `e${chance.below(2)}`,
        verdict: chance.pick(['pass', 'pass', 'fail', 'inconclusive'] as const),
      };
    case 4:
      return approval(chance, { ...on, baseline: chance.pick(versionsOf(set)), evidence: `e${chance.below(2)}` });
    default:
      return proposal(chance, set, { ...said, by });
  }
}

function promotedAndAborted(world: World, chance: Chance, set: string, said: () => Said): readonly Asked[] {
  const state = controlStateOf(world.storage).sets.get(set) ?? NO_SET;
  const version = state.rollout?.version ?? activeOf(state);
  if (version === null || state.rollout?.phase === 'proposed') return [];
  const kinds = chance.is(0.7) ? (['promote', 'abort'] as const) : (['abort', 'promote'] as const);
  return kinds.map((kind) => ({ ...said(), by: chance.pick(PEOPLE), kind, set, version }));
}

/** What a person appends who asks no controller. */
function foreignFact(world: World, chance: Chance, set: string): NewRecord {
  if (chance.is(0.2)) return factRecord(topics, { kind: 'retired', set, at: world.now, by: 'test' });
  return factRecord(topics, activation(world, chance.pick(versionsOf(set))));
}
