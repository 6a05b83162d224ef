import { didYouMean } from '../../language/suggest.ts';
import type { RecordEvent, SourceEvent } from '../source-event.ts';
import { type EventMapping, type ObjectSpec, pathsOf } from './event-mapping.ts';
import { NOT_TOLD, type SourcePath, valueAt } from './told.ts';

/** A path of a mapping that no event has, as far as events of its object were given. */
export interface UnseenPath {
  readonly object: string;
  readonly path: string;
  readonly hint: string | null;
}

/** Paths that are mapped and that no sample has: they may be spelled wrongly. */
export function pathsOutOfSight(mapping: EventMapping, events: readonly SourceEvent[]): readonly UnseenPath[] {
  return [...mapping.objects.values()].flatMap((object) => {
    const own = events.filter((event): event is RecordEvent => event.object === object.name && event.kind === 'set');
    if (own.length === 0) return [];
    const known = new Set(own.flatMap(({ values }) => Object.keys(values)));
    return pathsOfObject(object)
      .filter((path) => own.every(({ values }) => valueAt(values, path) === NOT_TOLD))
      .map((path) => ({ object: object.name, path: path.text, hint: didYouMean(path.first, known) }));
  });
}

const pathsOfObject = ({ id, accountId, fields }: ObjectSpec): readonly SourcePath[] => [
  ...[id, accountId].flatMap((one) => (one?.from ? [one.from] : [])),
  ...fields.flatMap(({ value }) => pathsOf(value)),
];
