import { randomUUID } from 'node:crypto';
import { answeredRecord } from '../../producers/audit.ts';
import { whoAmI } from './ask-controller.ts';
import type { Place } from './open-log.ts';

/**
 * Notes on plumbline.audit what somebody has done by a command. It is kept for ever and names no entity, whose erasure
 * couldn't reach it.
 */
export async function audit(
  { log, topics, wire }: Pick<Place, 'log' | 'topics' | 'wire'>,
  kind: 'erase' | 'redrive',
  message: string,
): Promise<void> {
  const done = { request: randomUUID(), kind, set: null, by: whoAmI(), at: Date.now(), reason: null, message };
  await log.append([answeredRecord(topics, { ...done, outcome: 'accepted', code: null, hint: null }, wire)]);
}
