import { changeRecord, changeTopic, closeImportRecords, ofAllRecords } from '../../producers/changes.ts';
import { factRecord } from '../../producers/control.ts';
import { setRecord } from '../../producers/sets.ts';
import { PlumblineError } from '../../src/errors.ts';
import type { Intake } from '../../src/ingest/change.ts';
import { formatInstant } from '../../src/language/contract.ts';
import type { NewRecord } from '../../src/log/port.ts';
import { listDeadLetters, redrive } from '../../src/runtime/dead-letters.ts';
import type { Chance } from './prng.ts';
import { PARTITIONS, topics, VERSIONS, type World } from './world.ts';

const OPERATIONS = 30;

/** Plays one history from its seed: changes of every kind, rollouts, redrives, time, among turns of the tasks. */
export async function playHistory(world: World, chance: Chance): Promise<void> {
  await append(
    world,
    [...VERSIONS.values()].map((set) => setRecord(topics, { version: set.version, name: set.name, document: '' })),
  );
  for (const version of ['a-desk', 'a-hygiene', 'a-passing', 'a-renewal']) await activate(world, version);
  const imports = new Set<string>();
  const versions = new Map<string, number>();
  for (let i = 0; i < OPERATIONS; i++) {
    const roll = chance.below(20);
    if (roll < 14) await append(world, [change(world, chance, i, imports, versions)]);
    else if (roll === 14 && chance.is(0.5)) await append(world, ofAll(world, chance, i, versions));
    else if (roll === 14) await append(world, [garbage(chance, i)]);
    else if (roll === 15 && chance.is(0.3)) await retire(world);
    else if (roll === 15) await activate(world, chance.pick([...VERSIONS.keys()]));
    else if (roll === 16) await redriveOne(world, chance);
    else world.now += chance.below(60_000);
    const turns = chance.below(6);
    for (let turn = 0; turn < turns; turn++) {
      // Tasks of one process share its control reader: some turns run at once.
      const names = new Set(
        chance.is(0.3) ? [0, 1, 2].map(() => chance.pick(world.names)) : [chance.pick(world.names)],
      );
      await Promise.all([...names].map((name) => world.turn(name)));
    }
  }
  await closeImports(world, imports);
  world.calm();
  await settle(world);
  world.now += 600_000;
  await settle(world);
}

/** Until nobody has anything to do. */
export async function settle(world: World): Promise<void> {
  for (let round = 0, busy = true; busy; round++) {
    if (round > 2_000) throw new Error('the tasks never come to rest');
    busy = false;
    for (const name of world.names) busy = (await world.turn(name)) || busy;
  }
}

/** As a client does: again, until it is taken. */
export async function append(world: World, records: readonly NewRecord[]): Promise<void> {
  for (;;)
    try {
      await world.outside.append(records);
      return;
    } catch (error) {
      if (!(error instanceof PlumblineError && error.retryable)) throw error;
    }
}

export async function closeImports(world: World, lanes: Iterable<string>): Promise<void> {
  for (const lane of lanes)
    await append(
      world,
      closeImportRecords(topics, () => PARTITIONS, lane),
    );
}

async function activate(world: World, version: string): Promise<void> {
  const set = VERSIONS.get(version)?.name ?? '';
  const kind = version.startsWith('a') ? ('rolled_back' as const) : ('activated' as const);
  await append(world, [factRecord(topics, { kind, set, version, at: world.now, by: 'test' })]);
}

const retire = (world: World) =>
  append(world, [factRecord(topics, { kind: 'retired', set: 'passing', at: world.now, by: 'test' })]);

export async function redriveOne(world: World, chance: Chance): Promise<void> {
  try {
    for await (const letter of listDeadLetters(world.outside, topics))
      if (chance.is(0.5)) return await redrive(world.outside, topics, [letter], { by: 'test', at: world.now });
  } catch (error) {
    if (!(error instanceof PlumblineError && error.retryable)) throw error;
  }
}

export function change(
  world: World,
  chance: Chance,
  index: number,
  imports: Set<string>,
  versions: Map<string, number>,
): NewRecord {
  const entity = chance.is(0.7) ? ('deal' as const) : ('account' as const);
  const id = entity === 'deal' ? `D${chance.below(4)}` : `A${chance.below(3)}`;
  const highest = versions.get(id) ?? 0;
  // Mostly in order; sometimes late, sometimes the very same version.
  const version = Math.max(1, chance.is(0.8) ? highest + 1 + chance.below(2) : highest - chance.below(4));
  versions.set(id, Math.max(highest, version));
  const lane = chance.is(0.3) ? `import-${chance.below(2)}` : null;
  if (lane !== null) imports.add(lane);
  const changedAt = lane === null ? world.now : world.now - 100_000 + chance.below(200_000);
  const json = {
    event_id: chance.is(0.9) ? `e${index}` : `e${Math.max(0, index - 1)}`,
    entity,
    id,
    version: String(version),
    changed_at: formatInstant(changedAt),
    ...(entity === 'deal' && chance.is(0.4) ? { account_id: chance.pick(['A0', 'A1', 'A2', null]) } : {}),
    ...body(chance, entity, id, highest, changedAt),
  };
  const intake: Intake = lane === null ? { kind: 'live', atMs: world.now } : { kind: 'import', importId: lane };
  const record = changeRecord(topics, { entity, id }, JSON.stringify(json), intake);
  return chance.is(0.1) ? { ...record, partition: chance.below(PARTITIONS) } : record;
}

function body(chance: Chance, entity: 'deal' | 'account', id: string, highest: number, at: number): object {
  if (entity === 'account' && chance.is(0.1))
    return { op: 'delete', merged_into: chance.pick(['A0', 'A1', 'A2'].filter((other) => other !== id)) };
  if (chance.is(0.1)) return { op: 'delete' };
  if (chance.is(0.05)) return { op: 'gap' };
  if (entity === 'deal' && chance.is(0.1)) {
    const account_id = chance.pick(['A0', 'A1', 'A2']);
    return chance.is(0.6) ? { op: 'link', account_id, primary: chance.is(0.5) } : { op: 'unlink', account_id };
  }
  const soon = () => formatInstant(at + chance.below(200_000));
  const fields =
    entity === 'deal'
      ? {
          ...(chance.is(0.6) ? { stage: 'won' } : {}),
          ...(chance.is(0.6) ? { amount: chance.below(9) } : {}),
          ...(chance.is(0.5) ? { next_step_at: soon() } : {}),
        }
      : {
          ...(chance.is(0.6) ? { employees: chance.below(4) } : {}),
          ...(chance.is(0.5) ? { last_call_at: soon() } : {}),
          ...(chance.is(0.2) ? { name: 'x' } : {}),
        };
  const clearable = entity === 'deal' ? 'owner' : 'owner';
  const whole = chance.is(0.1) ? { whole_as_of: String(highest + chance.below(4)) } : {};
  return { op: 'upsert', fields, ...(chance.is(0.2) ? { cleared: [clearable] } : {}), ...whole };
}

/** What is said of all: a table was emptied, changes went missing, an export is through. */
function ofAll(world: World, chance: Chance, index: number, versions: ReadonlyMap<string, number>): NewRecord[] {
  const entity = chance.pick(['deal', 'account'] as const);
  const op = chance.pick(['gap', 'delete', 'complete'] as const);
  const version = String(1 + chance.below(Math.max(2, ...versions.values())));
  const idPrefix = chance.pick(['', '', 'D1']);
  const change = { op, eventId: `all${index}`, version, changedAt: world.now, idPrefix, prune: chance.is(0.5) };
  return ofAllRecords(topics, () => PARTITIONS, entity, change, { kind: 'live', atMs: world.now });
}

export function garbage(chance: Chance, index: number): NewRecord {
  const text = chance.pick(['{', '[]', `{"event_id":"g${index}"}`, '{"__proto__":{}}']);
  return {
    topic: changeTopic(topics, chance.pick(['deal', 'account'])),
    key: `D${chance.below(4)}`,
    value: Buffer.from(text),
    headers: {},
  };
}
