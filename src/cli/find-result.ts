import { decodeSet } from '../../consumers/sets.ts';
import { loadContracts } from '../../schemas/contracts.ts';
import type { CompiledSet } from '../compiler/compile.ts';
import { PlumblineError } from '../errors.ts';
import { compileDocument } from '../runtime/compile-document.ts';
import { standingOutput } from '../runtime/read-outputs.ts';
import type { Result } from '../scoring/result.ts';
import { controlOf } from './control-state.ts';
import type { Place } from './open-log.ts';

const PAGE = { maxRecords: 500, maxBytes: 16 * 1024 * 1024 };

export interface FoundResult {
  readonly result: Result;
  readonly set: CompiledSet;
}

/** The last result of an entity under each active set, or under the one that is asked for. @throws PlumblineError PLB-CLI-NO-RESULT */
export async function lastResults(
  place: Place,
  entity: string,
  id: string,
  set: string | undefined,
): Promise<readonly FoundResult[]> {
  const names = set === undefined ? await activeNames(place) : [set];
  const found: FoundResult[] = [];
  for (const name of names) {
    const last = await standingOutput<Result>(
      place.log,
      place.topics.results,
      (result) => result.id === id && result.entity === entity && result.set === name,
    );
    if (last) found.push({ result: last.value, set: await setOfVersion(place, last.value.set_version) });
  }
  if (found.length === 0)
    throw new PlumblineError(
      'PLB-CLI-NO-RESULT',
      `there is no result of ${entity} \`${id}\`${set ? ` under \`${set}\`` : ''}`,
      { hint: 'see `plumbline results --id …` and `plumbline status`; an incomplete entity is not scored' },
    );
  return found;
}

/** Of the active sets: what a retired one said last stands no longer. It can still be asked for by name. */
async function activeNames(place: Place): Promise<readonly string[]> {
  const control = await controlOf(place);
  return [...control.active().keys()].sort();
}

async function setOfVersion(place: Place, version: string): Promise<CompiledSet> {
  for await (const document of documents(place))
    if (document.version === version) return compileDocument(document, loadContracts());
  throw new PlumblineError('PLB-SET-MISSING', `version ${version.slice(0, 12)} is not on the log`);
}

async function* documents({ log, topics }: Place) {
  for (let offset = 0; ; ) {
    const records = await log.read(topics.sets, 0, offset, PAGE);
    const last = records[records.length - 1];
    if (!last) return;
    offset = last.offset + 1;
    for (const record of records) if (record.value !== null) yield decodeSet(record);
  }
}
