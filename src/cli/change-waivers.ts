import { randomUUID } from 'node:crypto';
import { answeredRecord } from '../../producers/audit.ts';
import { changeRecord } from '../../producers/changes.ts';
import { loadContracts } from '../../schemas/contracts.ts';
import { PlumblineError } from '../errors.ts';
import type { RevokeChange, WaiveChange } from '../ingest/change.ts';
import { encodeChange } from '../ingest/encode-change.ts';
import type { Standing } from '../ingest/standing.ts';
import { versionAfter } from '../ingest/version.ts';
import type { EntityKind } from '../language/contract.ts';
import { standingEntities } from '../runtime/standing-entities.ts';
import { whoAmI } from './ask-controller.ts';
import { requireName } from './entity-ids.ts';
import type { Place } from './open-log.ts';
import { progress } from './progress.ts';

/** Who changes waivers, and why; of both commands. */
export interface ByFlags {
  readonly by?: string;
  readonly reason?: string;
  readonly eventId?: string;
}

export interface Said {
  readonly eventId: string;
  readonly by: string;
  readonly reason: string | null;
  /** Milliseconds; whole seconds, as they are written. */
  readonly at: number;
}

/** @throws PlumblineError PLB-CLI-USAGE */
export const saidBy = ({ by, reason, eventId }: ByFlags): Said => ({
  eventId: requireName(eventId ?? randomUUID(), 'an event id'),
  by: requireName(by ?? whoAmI(), 'who it is by'),
  reason: reason ?? null,
  at: Math.floor(Date.now() / 1_000) * 1_000,
});

/** Each with how it stands. @throws PlumblineError PLB-WAIVER-ENTITY, PLB-WAIVER-BEHIND */
export async function requireStanding(
  { log, topics, wire }: Place,
  entity: EntityKind,
  ids: ReadonlySet<string>,
): Promise<ReadonlyMap<string, Standing>> {
  const shown = progress(process.stderr, 'images');
  const standing = await standingEntities(log, topics, wire, loadContracts(), entity, ids, shown.step).finally(
    shown.end,
  );
  refuseSome(
    ids,
    (id) => standing.get(id)?.isThere ?? false,
    'PLB-WAIVER-ENTITY',
    `there is no ${entity}`,
    'check the ids: nothing was done for the others either',
  );
  return standing;
}

const MAX_TOLD = 5;

/** Nothing is done by half: whatever is wrong with one of them ends the command. */
export function refuseSome(
  ids: ReadonlySet<string>,
  isFine: (id: string) => boolean,
  code: string,
  message: string,
  hint: string,
): void {
  const wrong = [...ids].filter((id) => !isFine(id));
  if (wrong.length === 0) return;
  const told = wrong.slice(0, MAX_TOLD).map((id) => `\`${id.slice(0, 60)}\``);
  const more = wrong.length > MAX_TOLD ? ` and ${wrong.length - MAX_TOLD} more` : '';
  throw new PlumblineError(code, `${message} ${told.join(', ')}${more}`, { hint });
}

type Bare<C> = C extends unknown ? Omit<C, 'eventId' | 'entity' | 'id' | 'version' | 'changedAt'> : never;
export type WaiverChange = Bare<WaiveChange | RevokeChange>;

/**
 * Appends the change for each of the entities, and what was done to the audit topic: all of it, or nothing. The record
 * there is kept for ever and names no entity, whose erasure couldn't reach it; the changes carry its id.
 */
export async function appendWaivers(
  { log, topics, wire }: Place,
  entity: EntityKind,
  standing: ReadonlyMap<string, Standing>,
  what: WaiverChange,
  { eventId, by, reason, at }: Said,
  message: string,
): Promise<void> {
  const contracts = loadContracts();
  const intake = { kind: 'live', atMs: Date.now() } as const;
  const changes = [...standing].map(([id, { version }]) => {
    const change: WaiveChange | RevokeChange = {
      ...what,
      eventId,
      entity,
      id,
      version: versionAfter(version),
      changedAt: at,
    };
    return changeRecord(topics, change, encodeChange(change, contracts), intake, wire);
  });
  const { set } = what.waiver;
  const answered = { request: eventId, kind: what.op, set, by, at, reason, message, code: null, hint: null };
  await log.append([...changes, answeredRecord(topics, { ...answered, outcome: 'accepted' }, wire)]);
}
