import type { EntityKind, FieldType } from '../../language/contract.ts';
import type { RecordEvent } from '../source-event.ts';
import type { Format } from './event-mapping-shape.ts';
import type { Expression } from './expressions.ts';
import type { Reading } from './read-value.ts';
import type { SourcePath } from './told.ts';

/** A mapping of a CRM's events, checked and compiled. */
export interface EventMapping {
  readonly name: string;
  readonly format: Format;
  readonly idPrefix: string;
  readonly params: { readonly [name: string]: unknown };
  readonly ignore: ReadonlySet<string>;
  readonly objects: ReadonlyMap<string, ObjectSpec>;
}

/** What an expression sees; one for all expressions of an event, so that `value` changes. */
export interface EventScope {
  /** What `from` gave, or an object with what each of its names gave. */
  value: unknown;
  /** The CRM's own, as its links have it: before `id` and `id_prefix` of the mapping. */
  id: string;
  readonly event: { readonly at: Date; readonly object: string };
  readonly params: { readonly [name: string]: unknown };
}

export type EventExpression = Expression<EventScope>;

export interface ObjectSpec {
  readonly name: string;
  readonly entity: EntityKind;
  /** null: the event's own id. */
  readonly id: IdSpec | null;
  readonly accountId: IdSpec | null;
  readonly onDelete: 'delete' | 'clear' | 'ignore';
  readonly fields: readonly EventFieldSpec[];
  readonly readFields: readonly EventFieldSpec[];
  /** The same by the first name of each of their paths. */
  readonly fieldsByName: ReadonlyMap<string, readonly EventFieldSpec[]>;
  /** Those that every event sets which tells anything. */
  readonly alwaysSet: readonly EventFieldSpec[];
}

export interface IdSpec {
  /** null: only the event's own id is seen. */
  readonly from: SourcePath | null;
  readonly cel: EventExpression | null;
}

export interface EventFieldSpec {
  readonly name: string;
  readonly type: FieldType;
  readonly isRequired: boolean;
  readonly value: FieldSource;
  /** See fieldReader. */
  readonly read: (event: RecordEvent & { kind: 'set' }, scope: EventScope) => unknown;
}

export type FieldSource =
  | { readonly kind: 'constant'; readonly value: unknown }
  /** Of the id, the event and the parameters alone. */
  | { readonly kind: 'computed'; readonly cel: EventExpression }
  | ReadSource;

export interface ReadSource {
  readonly kind: 'read';
  /** One path, or several by the names that the expression knows them by. */
  readonly from: SourcePath | ReadonlyMap<string, SourcePath>;
  readonly reading: Reading;
  /** These and the one of `empty` are in the form that the field has in memory. */
  readonly values: ReadonlyMap<string, unknown> | null;
  readonly other: 'error' | 'keep' | 'null';
  readonly cel: EventExpression | null;
  readonly empty: 'clear' | 'leave_out' | { readonly value: unknown };
  /** Whether rows of exports set it. */
  readonly isSetByRows: boolean;
}

/** All paths of a field; none of one that is not read. */
export function pathsOf(source: FieldSource): readonly SourcePath[] {
  if (source.kind !== 'read') return [];
  return source.from instanceof Map ? [...source.from.values()] : [source.from as SourcePath];
}
