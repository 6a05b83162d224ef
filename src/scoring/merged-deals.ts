import { createHash } from 'node:crypto';
import type { Intake, UpsertChange } from '../ingest/change.ts';
import type { ImageRecord } from '../ingest/image.ts';
import { compareVersions } from '../ingest/version.ts';
import { load, type Run } from './run.ts';
import type { ScoredEntity } from './scored-entity.ts';

type EntityImage = Exclude<ImageRecord, { kind: 'lane_closed' }>;

/** Notes where an account's deals belong now. @returns whether that is news */
export function noteMerged(scored: ScoredEntity, { merged }: EntityImage): boolean {
  if (merged === undefined) return false;
  if (scored.merged !== null && compareVersions(merged.version, scored.merged.version) <= 0) return false;
  scored.merged = merged;
  return true;
}

/**
 * A deal that is found under an account that was merged into another: a change moves it, with the merge's version. It is
 * asked of ingest, which knows whether the deal's account was said anew since then (and drops the change if so); so it
 * doesn't matter whether the deal or the merge comes first.
 */
export function moveDeal(run: Run, dealId: string, accountId: string, image: EntityImage): void {
  const merged = load(run, 'account', accountId)?.merged ?? null;
  if (merged === null || merged.into === accountId) return;
  const name = JSON.stringify([accountId, dealId, merged.version]);
  const change: UpsertChange = {
    op: 'upsert',
    eventId: `merge-${createHash('sha256').update(name).digest('hex').slice(0, 32)}`,
    entity: 'deal',
    id: dealId,
    version: merged.version,
    changedAt: image.at,
    accountId: merged.into,
    fields: {},
    cleared: [],
  };
  const intake: Intake =
    image.lane === 'live' ? { kind: 'live', atMs: image.at } : { kind: 'import', importId: image.lane };
  run.outputs.push({ kind: 'move', change, intake });
  run.counts.moves++;
}
