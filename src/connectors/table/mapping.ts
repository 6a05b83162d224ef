import type { EntityKind, FieldType } from '../../language/contract.ts';
import type { Cell, Column } from './cells.ts';
import type { RowExpression } from './row-expressions.ts';

/** A mapping, checked and compiled. */
export interface Mapping {
  readonly name: string;
  /** `file`: in the order of the rows; `time`: sorted, which keeps all changes in memory. */
  readonly order: 'file' | 'time';
  readonly params: { readonly [name: string]: unknown };
  /** Files that may be given and are not read. */
  readonly ignore: ReadonlySet<string>;
  readonly files: ReadonlyMap<string, FileSpec>;
  /** In the order in which they are built. */
  readonly tables: readonly TableSpec[];
  readonly sources: readonly SourceSpec[];
}

export interface FileSpec {
  /** What the mapping calls it. */
  readonly id: string;
  /** The file's base name. */
  readonly name: string;
  readonly delimiter: string;
  readonly trim: boolean;
  readonly columns: readonly Column[];
}

export interface LookupSpec {
  readonly name: string;
  readonly table: string;
  readonly key: RowExpression;
  readonly aliases: ReadonlyMap<string, string>;
  readonly missing: 'error' | 'null';
}

export interface AggregateSpec {
  readonly name: string;
  readonly kind: 'count' | 'sum' | 'max' | 'min' | 'latest';
  readonly of: RowExpression | null;
  readonly by: RowExpression | null;
  readonly when: RowExpression | null;
  /** The value where no row was counted. */
  readonly fallback: Cell;
}

export interface TableSpec {
  readonly name: string;
  readonly file: FileSpec;
  readonly when: RowExpression | null;
  readonly lookups: readonly LookupSpec[];
  readonly key: RowExpression;
  /** null: one row a key, whose columns are the values. */
  readonly aggregates: readonly AggregateSpec[] | null;
}

export interface FieldSpec {
  readonly name: string;
  readonly type: FieldType;
  readonly value: RowExpression | { readonly constant: unknown };
  readonly empty: 'leave_out' | 'clear' | { readonly value: unknown };
}

export interface ChangeSpec {
  readonly when: RowExpression | null;
  readonly entity: EntityKind;
  readonly op: 'upsert' | 'delete';
  readonly id: RowExpression;
  readonly accountId: { readonly value: RowExpression; readonly empty: 'leave_out' | 'clear' } | null;
  readonly changedAt: RowExpression;
  readonly sequence: RowExpression | number;
  readonly version: RowExpression | null;
  readonly fields: readonly FieldSpec[];
}

export interface SourceSpec {
  readonly file: FileSpec;
  readonly when: RowExpression | null;
  readonly lookups: readonly LookupSpec[];
  readonly changes: readonly ChangeSpec[];
}
