import { entityKey as ingestKey } from '../ingest/state-keys.ts';
import type { EntityKind } from '../language/contract.ts';
import type { Log, TaskInput } from '../log/port.ts';
import type { Topics } from '../log/topics.ts';
import { decodeScored } from '../scoring/scored-entity.ts';
import { dealOfKey, entityKey, fieldsKey, incompleteKey, timerKey } from '../scoring/state-keys.ts';
import { taskInputs } from './lag.ts';

/**
 * Takes an entity out of every task's state. It opens the tasks, which ends whoever runs them.
 * @param isDry only looks
 * @returns names of the stages that hold it, or held it
 * @throws PlumblineError PLB-LOG-FENCED where somebody began to run a task meanwhile; done again, it goes on
 */
export async function eraseFromState(
  log: Log,
  topics: Topics,
  entity: EntityKind,
  id: string,
  isDry = false,
): Promise<readonly string[]> {
  const held = new Set<string>();
  for (const input of taskInputs(log, topics)) {
    const session = await log.openTask(input);
    try {
      const text = session.state.get(input.stage === 'ingest' ? ingestKey(entity, id) : entityKey(entity, id));
      if (text === undefined || !concerns(input, topics, entity)) continue;
      const keys = input.stage === 'ingest' ? [ingestKey(entity, id)] : scoringKeys(entity, id, text);
      if (!isDry) await session.commit({ outputs: [], state: new Map(keys.map((key) => [key, undefined])) });
      held.add(input.stage);
    } finally {
      await session.close();
    }
  }
  return [...held];
}

const concerns = (input: TaskInput, topics: Topics, entity: EntityKind): boolean =>
  input.stage !== 'ingest' || input.topic === (entity === 'deal' ? topics.dealChanges : topics.accountChanges);

function scoringKeys(entity: EntityKind, id: string, text: string): readonly string[] {
  const scored = decodeScored(entity, id, text);
  const accountId = scored.image?.accountId ?? null;
  return [
    entityKey(entity, id),
    fieldsKey(entity, id),
    incompleteKey(entity, id),
    ...(scored.timer ? [timerKey(scored.timer, entity, id)] : []),
    ...(entity === 'deal' && accountId !== null ? [dealOfKey(accountId, id)] : []),
  ];
}

interface Told {
  readonly key: string | null;
  readonly value: Uint8Array | null;
  readonly headers: { readonly [name: string]: string };
}

/** Whether a record tells about an entity; of an account also the answers on its deals that show its fields. */
export function tellsOf(entity: EntityKind, id: string): (record: Told) => boolean {
  const mention = Buffer.from(JSON.stringify(id));
  return ({ key, value, headers }) => {
    if (headers['dead-letter-id'] === id && headers['dead-letter-entity'] === entity) return true;
    const isOfAccount = entity === 'account' && key === id;
    // Why a deal could not be scored may cite its account.
    if (isOfAccount && headers['dead-letter-stage'] === 'score') return true;
    if (value === null) return key === id;
    if (!isOfAccount && key !== id && Buffer.from(value).indexOf(mention) === -1) return false;
    const json = parse(value);
    // What can't be read and has the entity's key may be about it.
    if (json === null) return key === id;
    if (json.entity === entity && json.id === id) return true;
    return isOfAccount && (json.evidence !== undefined || hasMessages(json.moved));
  };
}

/** A posture change shows what its set's messages show; without any it keeps its place in the chain. */
const hasMessages = (moved: unknown): boolean =>
  Array.isArray(moved) && moved.some((line: { readonly message?: unknown } | null) => line?.message !== undefined);

function parse(value: Uint8Array): { readonly [member: string]: unknown } | null {
  try {
    const json: unknown = JSON.parse(Buffer.from(value).toString('utf8'));
    return typeof json === 'object' && json !== null ? (json as { readonly [member: string]: unknown }) : null;
  } catch {
    return null;
  }
}
