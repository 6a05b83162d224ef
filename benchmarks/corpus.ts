import { readFileSync } from 'node:fs';
import { loadContracts } from '../schemas/contracts.ts';
import { DEFAULT_BOOK_UNTIL, generateBook } from '../src/book/generate-book.ts';
import { type CompiledSet, compileSet } from '../src/compiler/compile.ts';
import { wholeFields } from '../src/ingest/fields.ts';
import type { ImageRecord } from '../src/ingest/image.ts';
import { ingestChange } from '../src/ingest/step.ts';
import type { EntityKind, Fields } from '../src/language/contract.ts';
import { type MemoryState, memoryState, stepOn } from '../src/log/memory-state.ts';
import { POSTURES, type Posture } from '../src/scoring/posture.ts';

export const contracts = loadContracts();

const NAMES = ['deal-desk', 'pipeline-hygiene', 'renewal-risk'];

/** The sets that ship. */
export function shippedSets(): readonly CompiledSet[] {
  return NAMES.map((name) => {
    const url = new URL(`../constraint-sets/${name}.yaml`, import.meta.url);
    const { set, diagnostics } = compileSet(`${name}.yaml`, readFileSync(url, 'utf8'), contracts);
    if (!set) throw new Error(diagnostics[0]?.message);
    return set;
  });
}

/** An image of the book as the scoring stage sees it. */
export interface Sight {
  readonly entity: EntityKind;
  readonly fields: Fields;
  readonly account: Fields | null;
  readonly now: number;
  readonly previousBand: Posture | null;
}

/** Every n-th image of a generated book, with its account as it was then. */
export function sightsOfBook(every: number, seed = 1): { readonly [K in EntityKind]: readonly Sight[] } {
  const sights: { [K in EntityKind]: Sight[] } = { deal: [], account: [] };
  const accounts = new Map<string, Fields>();
  const state = memoryState();
  let count = 0;
  for (const image of imagesOfBook(state, seed)) {
    if (image.kind !== 'image' || image.lacking.length > 0) continue;
    const fields = wholeFields(contracts[image.entity], image.id, image.accountId, image.fields);
    if (image.entity === 'account') accounts.set(image.id, fields);
    if (count++ % every !== 0) continue;
    const account =
      image.entity === 'deal' && image.accountId !== null ? (accounts.get(image.accountId) ?? null) : null;
    const previousBand = POSTURES[count % 5] ?? null;
    sights[image.entity].push({ entity: image.entity, fields, account, now: image.at, previousBand });
  }
  return sights;
}

function* imagesOfBook(state: MemoryState, seed: number): Generator<ImageRecord, void> {
  const offsets = { deal: 0, account: 0 };
  const context = { contracts, imagesPartitionOf: () => 0, imagesPartitions: 1, pinnedValue: () => null };
  const intake = { kind: 'import', importId: 'book' } as const;
  for (const change of generateBook({ seed, until: DEFAULT_BOOK_UNTIL })) {
    if (change.op === 'waive' || change.op === 'revoke') continue;
    const origin = { topic: change.entity, partition: 0, offset: offsets[change.entity]++ };
    const { images } = stepOn(state, (overlay) =>
      ingestChange(overlay, { change, intake, origin, redriveOf: null }, context),
    );
    for (const { image } of images) yield image;
  }
}
