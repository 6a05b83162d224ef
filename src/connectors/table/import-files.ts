import type { Contracts } from '../../../schemas/contracts.ts';
import { PlumblineError } from '../../errors.ts';
import type { Change } from '../../ingest/change.ts';
import { holds } from '../mapping/evaluate.ts';
import type { FileSpec, LookupSpec, Mapping } from './mapping.ts';
import { type Row, readCsv } from './read-csv.ts';
import { type RecentKeys, recentKeys } from './recent-keys.ts';
import { type Mapped, rowChanges } from './row-changes.ts';
import type { RowScope } from './row-expressions.ts';
import { createTable, type Table, withLookups } from './tables.ts';

/** `order: time` keeps the changes in memory; at most this many. */
export const MAX_SORTED_CHANGES = 1_000_000;
/** How many versions and rejected rows are remembered to find repeats. */
const MAX_REMEMBERED = 1_000_000;

/** A file's bytes; opened once for each table and each `rows` that reads it. */
export interface InputFile {
  open(): AsyncIterable<Uint8Array>;
}

/** A row that could not be mapped. */
export interface Reject {
  readonly file: string;
  /** As a spreadsheet counts: the header is row 1. */
  readonly row: number;
  readonly line: number;
  readonly column: string | null;
  readonly code: string;
  readonly message: string;
  readonly hint: string | null;
}

export type ImportItem =
  | { readonly kind: 'change'; readonly change: Change }
  | { readonly kind: 'reject'; readonly reject: Reject };

export interface ImportCounts {
  /** Rows read for `rows`; those read for tables are not counted. */
  readonly rows: number;
  readonly changes: number;
  /** Rows, of tables too. */
  readonly rejected: number;
}

/**
 * Turns files into canonical changes. A row that can't be mapped is a reject, the others go on.
 * @param files by the mapping's own name of the file
 * @throws PlumblineError PLB-MAP-FILE, -HEADER, -CSV, -ENCODING, -CAP: the import as a whole can't go on
 */
export async function* importFiles(
  mapping: Mapping,
  files: ReadonlyMap<string, InputFile>,
  contracts: Contracts,
): AsyncGenerator<ImportItem, ImportCounts> {
  const counts = { rows: 0, changes: 0, rejected: 0 };
  const seenRejects = recentKeys(MAX_REMEMBERED);
  const seenVersions = recentKeys(MAX_REMEMBERED);
  const tables = new Map<string, Table>();

  /** What `take` makes of each row, or its reject: once for a row, however often its file is read. */
  async function* eachRow(
    file: FileSpec,
    lookups: readonly LookupSpec[],
    take: (scope: RowScope) => readonly Mapped[],
    count: () => void = () => {},
  ): AsyncGenerator<readonly Mapped[] | Reject, void> {
    for await (const row of readCsv(file, openFile(files, file))) {
      count();
      try {
        if (row.cells instanceof PlumblineError) throw row.cells;
        yield take(withLookups({ row: row.cells, params: mapping.params, file: file.name }, lookups, tables));
      } catch (error) {
        if (!(error instanceof PlumblineError) || error.code === 'PLB-MAP-CAP') throw error;
        if (seenRejects.add(`${file.id}:${row.row}`)) yield toReject(error, file, row);
      }
    }
  }

  for (const spec of mapping.tables) {
    const table = createTable(spec);
    const build = eachRow(spec.file, spec.lookups, (scope) => {
      if (holds(spec.when, scope, `table \`${spec.name}\`, \`when\``)) table.add(scope);
      return [];
    });
    for await (const result of build)
      if ('code' in result) {
        counts.rejected += 1;
        yield { kind: 'reject', reject: result };
      }
    tables.set(spec.name, table);
  }

  const kept: Mapped[] = [];
  for (const source of mapping.sources) {
    const rows = eachRow(
      source.file,
      source.lookups,
      (scope) => {
        const mapped = rowChanges(source, scope, mapping.name, contracts);
        rememberVersions(mapped, seenVersions);
        return mapped;
      },
      () => {
        counts.rows += 1;
      },
    );
    for await (const result of rows) {
      if ('code' in result) {
        counts.rejected += 1;
        yield { kind: 'reject', reject: result };
      } else if (mapping.order === 'time') {
        kept.push(...result);
        if (kept.length > MAX_SORTED_CHANGES)
          throw new PlumblineError('PLB-MAP-CAP', `\`order: time\` sorts at most ${MAX_SORTED_CHANGES} changes`, {
            hint: 'use `order: file`, or import in parts',
          });
      } else
        for (const { change } of result) {
          counts.changes += 1;
          yield { kind: 'change', change };
        }
    }
  }
  // The sort is stable: what ties in time and sequence stays in the order of the rows.
  kept.sort((a, b) => a.change.changedAt - b.change.changedAt || a.sequence - b.sequence);
  for (const { change } of kept) {
    counts.changes += 1;
    yield { kind: 'change', change };
  }
  return counts;
}

function openFile(files: ReadonlyMap<string, InputFile>, file: FileSpec): AsyncIterable<Uint8Array> {
  const input = files.get(file.id);
  if (input) return input.open();
  throw new PlumblineError('PLB-MAP-FILE', `the mapping needs the file \`${file.name}\``, {
    hint: `give it, or another file as ${file.id}=FILE`,
  });
}

/** Two changes of one entity with one version: ingest would keep the first only and say nothing. */
function rememberVersions(mapped: readonly Mapped[], seen: RecentKeys): void {
  const keys = mapped.map(({ change }) => `${change.entity}\n${change.id}\n${change.version}`);
  const index = keys.findIndex((key, at) => seen.has(key) || keys.indexOf(key) !== at);
  const twice = mapped[index]?.change;
  if (twice)
    throw new PlumblineError(
      'PLB-MAP-VERSION',
      `${twice.entity} ${twice.id} has a change of version ${twice.version} already`,
      {
        hint: 'changes of one entity at one time need different `sequence`s; an id may be there twice',
      },
    );
  for (const key of keys) seen.add(key);
}

function toReject(error: PlumblineError, file: FileSpec, row: Row): Reject {
  const { code, message, hint, where } = error;
  return {
    file: file.name,
    row: row.row,
    line: row.line,
    column: code.startsWith('PLB-MAP-') ? (where?.path ?? null) : null,
    code,
    message,
    hint: hint ?? null,
  };
}
