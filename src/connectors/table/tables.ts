import { PlumblineError } from '../../errors.ts';
import { describe, evaluate, holds } from '../mapping/evaluate.ts';
import type { Cell } from './cells.ts';
import type { AggregateSpec, LookupSpec, TableSpec } from './mapping.ts';
import type { RowScope } from './row-expressions.ts';

/** Keys of one table, and characters of one key. */
export const MAX_TABLE_KEYS = 1_000_000;
const MAX_KEY_LENGTH = 1_000;

type Found = { readonly [name: string]: Cell };

/** A table while and after it is built: what a key stands for. */
export interface Table {
  readonly spec: TableSpec;
  /** Takes one row of its file; the scope has the row and its look-ups. */
  add(scope: RowScope): void;
  find(key: string): Found | null;
  /** What stands for a key that is not there. */
  readonly nothing: Found;
}

export type Tables = ReadonlyMap<string, Table>;

export function createTable(spec: TableSpec): Table {
  return spec.aggregates === null ? uniqueTable(spec) : groupedTable(spec, spec.aggregates);
}

function uniqueTable(spec: TableSpec): Table {
  const rows = new Map<string, Found>();
  return {
    spec,
    nothing: Object.fromEntries(spec.file.columns.map((column) => [column.name, null])),
    find: (key) => rows.get(key) ?? null,
    add: (scope) => {
      const key = tableKey(spec, scope);
      if (key === null) return;
      if (rows.has(key))
        throw new PlumblineError(
          'PLB-MAP-DUPLICATE-KEY',
          `table \`${spec.name}\` has the key ${key.slice(2)} already`,
          {
            hint: 'a table without `values` has one row a key; aggregate the others with `values`',
          },
        );
      checkSize(spec, rows);
      rows.set(key, scope.row as Found);
    },
  };
}

function groupedTable(spec: TableSpec, aggregates: readonly AggregateSpec[]): Table {
  const groups = new Map<string, Group[]>();
  return {
    spec,
    nothing: Object.fromEntries(aggregates.map((one) => [one.name, one.fallback])),
    find: (key) => {
      const group = groups.get(key);
      return group
        ? Object.fromEntries(aggregates.map((one, index) => [one.name, group[index]?.value ?? one.fallback]))
        : null;
    },
    add: (scope) => {
      const key = tableKey(spec, scope);
      if (key === null) return;
      // All new values first: a row that fails half way counts nowhere.
      const inputs = aggregates.map((one) => readInput(spec, one, scope));
      let group = groups.get(key);
      if (!group) {
        checkSize(spec, groups);
        group = aggregates.map(() => ({ value: null, by: null }));
      }
      const next = aggregates.map((one, index) => step(spec, one, group?.[index] ?? EMPTY, inputs[index] ?? null));
      groups.set(key, next);
    },
  };
}

interface Group {
  readonly value: Cell;
  readonly by: Cell;
}
const EMPTY: Group = { value: null, by: null };

function readInput(spec: TableSpec, aggregate: AggregateSpec, scope: RowScope): Group | null {
  const what = `table \`${spec.name}\`, value \`${aggregate.name}\``;
  if (!holds(aggregate.when, scope, what)) return null;
  if (aggregate.of === null) return EMPTY;
  const value = asCell(evaluate(aggregate.of, scope, what), what);
  if (aggregate.by === null) return value === null ? null : { value, by: null };
  const by = asCell(evaluate(aggregate.by, scope, what), what);
  return by === null ? null : { value, by };
}

function step(spec: TableSpec, aggregate: AggregateSpec, group: Group, input: Group | null): Group {
  if (input === null) return group;
  const what = `table \`${spec.name}\`, value \`${aggregate.name}\``;
  switch (aggregate.kind) {
    case 'count':
      return { value: (typeof group.value === 'bigint' ? group.value : 0n) + 1n, by: null };
    case 'sum':
      return {
        value: group.value === null ? number(input.value, what) : add(group.value, number(input.value, what), what),
        by: null,
      };
    case 'max':
      return group.value === null || compare(input.value, group.value, what) > 0 ? input : group;
    case 'min':
      return group.value === null || compare(input.value, group.value, what) < 0 ? input : group;
    case 'latest':
      // Of equally late rows the later one in the file stays.
      return group.by === null || compare(input.by, group.by, what) >= 0 ? input : group;
  }
}

function number(value: Cell, what: string): number | bigint {
  if (typeof value === 'number' || typeof value === 'bigint') return value;
  throw new PlumblineError('PLB-MAP-EVAL', `${what}: a sum needs numbers, got ${describe(value)}`);
}

function add(a: Cell, b: number | bigint, what: string): number | bigint {
  if (typeof a === 'bigint' && typeof b === 'bigint') return a + b;
  return Number(number(a, what)) + Number(b);
}

function compare(a: Cell, b: Cell, what: string): number {
  const comparable = (typeof a === typeof b && a !== null && b !== null) || (isNumber(a) && isNumber(b));
  if (!comparable || a === null || b === null)
    throw new PlumblineError('PLB-MAP-EVAL', `${what}: ${describe(a)} and ${describe(b)} can't be compared`);
  return a < b ? -1 : a > b ? 1 : 0;
}

const isNumber = (value: Cell): boolean => typeof value === 'number' || typeof value === 'bigint';

function asCell(value: unknown, what: string): Cell {
  if (value === null || ['string', 'number', 'bigint', 'boolean'].includes(typeof value) || value instanceof Date)
    return value as Cell;
  throw new PlumblineError('PLB-MAP-EVAL', `${what}: ${describe(value)} can't be kept in a table`);
}

function checkSize(spec: TableSpec, keys: ReadonlyMap<string, unknown>): void {
  if (keys.size >= MAX_TABLE_KEYS)
    throw new PlumblineError('PLB-MAP-CAP', `table \`${spec.name}\` has more than ${MAX_TABLE_KEYS} keys`);
}

const tableKey = (spec: TableSpec, scope: RowScope): string | null =>
  keyText(evaluate(spec.key, scope, `table \`${spec.name}\`, \`key\``), `table \`${spec.name}\``);

/** A key as text that keeps its type apart; null for an empty one. */
function keyText(value: unknown, what: string): string | null {
  if (value === null) return null;
  if (typeof value === 'string' && value.length <= MAX_KEY_LENGTH) return `s:${value}`;
  if (typeof value === 'bigint') return `i:${value}`;
  throw new PlumblineError(
    'PLB-MAP-EVAL',
    `${what}: a key is a text of at most ${MAX_KEY_LENGTH} characters or a whole number, got ${describe(value)}`,
  );
}

/** The scope of a row: each look-up may use those above it. @throws PlumblineError PLB-MAP-LOOKUP, PLB-MAP-EVAL */
export function withLookups(base: Omit<RowScope, 'lookup'>, lookups: readonly LookupSpec[], tables: Tables): RowScope {
  const found: { [name: string]: Found } = {};
  const scope: RowScope = { ...base, lookup: found };
  for (const spec of lookups) {
    const table = tables.get(spec.table);
    if (!table) throw new PlumblineError('PLB-MAP-NAME', `table \`${spec.table}\` was not built`);
    const raw = evaluate(spec.key, scope, `look-up \`${spec.name}\``);
    const value = typeof raw === 'string' ? (spec.aliases.get(raw) ?? raw) : raw;
    const key = keyText(value, `look-up \`${spec.name}\``);
    const row = key === null ? null : table.find(key);
    // Of an empty cell there is nothing to look up; a column that must be filled says so itself.
    if (row === null && key !== null && spec.missing === 'error')
      throw new PlumblineError(
        'PLB-MAP-LOOKUP',
        `look-up \`${spec.name}\`: ${describe(value)} is not in \`${table.spec.file.name}\``,
        { hint: 'name it under `aliases`, or set `missing: null`' },
      );
    found[spec.name] = row ?? table.nothing;
  }
  return scope;
}
