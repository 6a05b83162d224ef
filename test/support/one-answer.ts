import type { ImageRecord } from '../../src/ingest/image.ts';
import type { EntityKind } from '../../src/language/contract.ts';
import type { Result } from '../../src/scoring/result.ts';

/**
 * one-answer: a whole image has one result of each set of its kind; a derived answer is unique by its cause.
 * @param failed `entity/id set` of those that no version could answer
 * @returns what was answered twice or never
 */
export function notAnsweredOnce(
  images: readonly ImageRecord[],
  results: readonly Result[],
  sets: readonly { readonly name: string; readonly entity: EntityKind }[],
  failed: ReadonlySet<string> = new Set(),
): readonly string[] {
  const given = new Map<string, number>();
  for (const { cause, entity, id, set, image_seq: seq, account_id: account } of results) {
    const place = cause.kind === 'change' ? seq : `${JSON.stringify(cause)} ${account} ${seq}`;
    const key = `${entity}/${id} ${set} ${place}`;
    given.set(key, (given.get(key) ?? 0) + 1);
  }
  const doubled = [...given].flatMap(([key, times]) => (times === 1 ? [] : [`${key} was answered ${times} times`]));
  const lost = images.flatMap((image) => {
    if (image.kind !== 'image' || image.lacking.length > 0) return [];
    const { entity, id, imageSeq } = image;
    return sets
      .filter((set) => set.entity === entity && !failed.has(`${entity}/${id} ${set.name}`))
      .map(({ name }) => `${entity}/${id} ${name} ${imageSeq}`)
      .flatMap((key) => (given.has(key) ? [] : [`${key} was never answered`]));
  });
  return [...doubled, ...lost];
}
