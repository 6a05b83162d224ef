import type { Contracts } from '../../../schemas/contracts.ts';
import { type Contract, ContractBreach, decodeJson } from '../../language/contract.ts';
import type { Diagnostic } from '../../language/diagnostics.ts';
import type { Findings, Path } from '../../language/shaped-yaml.ts';
import { didYouMean } from '../../language/suggest.ts';
import { readMappingSource } from '../mapping/mapping-source.ts';
import type { Cell, Column } from './cells.ts';
import { parseDateText, readDateFormat } from './date-format.ts';
import type {
  AggregateSpec,
  ChangeSpec,
  FieldSpec,
  FileSpec,
  LookupSpec,
  Mapping,
  SourceSpec,
  TableSpec,
} from './mapping.ts';
import {
  type AggregateDocument,
  type ChangeDocument,
  type ColumnDocument,
  type FieldDocument,
  type LookupDocument,
  type MappingDocument,
  mappingShape,
} from './mapping-shape.ts';
import { compileRowExpression, type Names, type RowExpression } from './row-expressions.ts';

export interface ReadMapping {
  /** null where there is an error. */
  readonly mapping: Mapping | null;
  readonly diagnostics: readonly Diagnostic[];
}

/** Reads, checks and compiles a mapping: codes PLB-MAP-*, each with its line and column. */
export function readMapping(text: string, file: string, contracts: Contracts): ReadMapping {
  const { document, findings } = readMappingSource(text, file, mappingShape);
  if (!document) return { mapping: null, diagnostics: findings.list };
  const mapping = compileMapping(document, findings, contracts);
  return { mapping: findings.list.length > 0 ? null : mapping, diagnostics: findings.list };
}

/** Names that an object has anyway would be found where nothing was declared. */
const RESERVED = new Set(Object.getOwnPropertyNames(Object.prototype));
const DEFAULT_TRUE = ['true', 'True', 'TRUE'];
const DEFAULT_FALSE = ['false', 'False', 'FALSE'];
const ISO_DATE = 'yyyy-mm-dd';

/** What compiling an expression needs to know about its place. */
interface Place {
  readonly findings: Findings;
  readonly names: Names;
}

function compileMapping(document: MappingDocument, findings: Findings, contracts: Contracts): Mapping {
  const params = compileParams(document, findings);
  const files = compileFiles(document, findings);
  const tables = new Map<string, TableSpec>();
  for (const [name, table] of Object.entries(document.tables)) {
    const path = ['tables', name];
    const file = known(files, table.file, [...path, 'file'], 'file', findings);
    if (!file) continue;
    const scope = lookupScope(file, params, table.lookups, tables, [...path, 'lookups'], findings);
    const place = { findings, names: scope.names };
    tables.set(name, {
      name,
      file,
      lookups: scope.lookups,
      when: optional(table.when, [...path, 'when'], place, 'bool'),
      key: compile(table.key, [...path, 'key'], place),
      aggregates: table.values
        ? Object.entries(table.values).map(([value, aggregate]) =>
            compileAggregate(value, aggregate, [...path, 'values', value], place),
          )
        : null,
    });
  }
  const sources: SourceSpec[] = [];
  document.rows.forEach((source, index) => {
    const path = ['rows', index];
    const file = known(files, source.file, [...path, 'file'], 'file', findings);
    if (!file) return;
    const scope = lookupScope(file, params, source.lookups, tables, [...path, 'lookups'], findings);
    const place = { findings, names: scope.names };
    sources.push({
      file,
      lookups: scope.lookups,
      when: optional(source.when, [...path, 'when'], place, 'bool'),
      changes: source.changes.map((change, at) =>
        compileChange(change, [...path, 'changes', at], place, contracts[change.entity]),
      ),
    });
  });
  const { name, order, ignore } = document;
  return { name, order, params, ignore: new Set(ignore), files, tables: [...tables.values()], sources };
}

function compileParams(document: MappingDocument, findings: Findings): { readonly [name: string]: unknown } {
  const iso = readDateFormat(ISO_DATE);
  return Object.fromEntries(
    Object.entries(document.params).map(([name, value]) => {
      if (typeof value !== 'object') return [name, typeof value === 'number' ? celNumber(value) : value];
      const ms = typeof iso === 'string' ? null : parseDateText(iso, value.date);
      if (ms === null)
        findings.add('PLB-MAP-FORMAT', ['params', name, 'date'], `\`${value.date}\` is no date`, `write ${ISO_DATE}`);
      return [name, new Date(ms ?? 0)];
    }),
  );
}

const celNumber = (value: number): bigint | number => (Number.isSafeInteger(value) ? BigInt(value) : value);

function compileFiles(document: MappingDocument, findings: Findings): ReadonlyMap<string, FileSpec> {
  const byName = new Map<string, string>();
  return new Map(
    Object.entries(document.files).map(([id, file]) => {
      const path = ['files', id];
      const other = byName.get(file.name);
      if (other)
        findings.add('PLB-MAP-NAME', [...path, 'name'], `\`${file.name}\` is the name of \`${other}\` already`);
      byName.set(file.name, id);
      const columns = Object.entries(file.columns).map(([name, column]) =>
        compileColumn(
          name,
          typeof column === 'string'
            ? { type: column, nulls: [], empty: 'null' as const, decimal: '.' as const }
            : column,
          [...path, 'columns', name],
          findings,
        ),
      );
      const delimiter = file.delimiter === 'tab' ? '\t' : file.delimiter;
      return [id, { id, name: file.name, delimiter, trim: file.trim, columns }];
    }),
  );
}

function compileColumn(name: string, column: ColumnDocument, path: Path, findings: Findings): Column {
  if (RESERVED.has(name))
    findings.add('PLB-MAP-NAME', path, `\`${name}\` is reserved`, 'name it otherwise, with `header`');
  const only = (key: keyof ColumnDocument, types: readonly string[]): void => {
    if (column[key] !== undefined && !types.includes(column.type))
      findings.add('PLB-MAP-SHAPE', [...path, key], `\`${key}\` is for ${types.join(' and ')} columns`);
  };
  only('format', ['date']);
  only('values', ['string']);
  only('other', ['string']);
  only('true', ['bool']);
  only('false', ['bool']);
  only('thousands', ['number', 'int']);
  if (column.other !== undefined && column.values === undefined)
    findings.add('PLB-MAP-SHAPE', [...path, 'other'], '`other` needs `values`');
  if (column.thousands === column.decimal)
    findings.add('PLB-MAP-SHAPE', [...path, 'thousands'], '`thousands` and `decimal` are the same sign');
  let format: Column['format'] = null;
  if (column.type === 'date') {
    const read = column.format === undefined ? 'it is missing' : readDateFormat(column.format);
    if (typeof read !== 'string') format = read;
    else
      findings.add(
        'PLB-MAP-FORMAT',
        column.format === undefined ? path : [...path, 'format'],
        `a date column needs its format: ${read}`,
        'such as yyyy-mm-dd, m/d/yyyy or dd-mm-yyyy hh:mm:ss; 03/04/2026 is two different days',
      );
  }
  return {
    name,
    header: column.header ?? name,
    type: column.type,
    format,
    nulls: new Set(column.nulls),
    empty: compileEmpty(column, path, findings),
    values: column.values ? new Map(Object.entries(column.values)) : null,
    other: column.other ?? 'error',
    trueTexts: new Set(column.true ?? DEFAULT_TRUE),
    falseTexts: new Set(column.false ?? DEFAULT_FALSE),
    decimal: column.decimal,
    thousands: column.thousands ?? null,
  };
}

function compileEmpty(column: ColumnDocument, path: Path, findings: Findings): Column['empty'] {
  if (typeof column.empty === 'string') return { kind: column.empty };
  const { value } = column.empty;
  const wanted = { string: 'string', number: 'number', int: 'number', bool: 'boolean', date: 'none' }[column.type];
  const given: string = typeof value;
  if (given !== wanted || (column.type === 'int' && !Number.isSafeInteger(value)))
    findings.add('PLB-MAP-SHAPE', [...path, 'empty'], `\`empty\` is no value of a ${column.type} column`);
  return { kind: 'value', value: column.type === 'int' && Number.isSafeInteger(value) ? BigInt(value) : value };
}

function known<T>(map: ReadonlyMap<string, T>, name: string, path: Path, what: string, findings: Findings): T | null {
  const found = map.get(name);
  if (found !== undefined) return found;
  findings.add('PLB-MAP-NAME', path, `${what} \`${name}\` is not declared`, didYouMean(name, map.keys()));
  return null;
}

/** The look-ups of a file's rows; each may use those above it. */
function lookupScope(
  file: FileSpec,
  params: { readonly [name: string]: unknown },
  lookups: { readonly [name: string]: LookupDocument },
  tables: ReadonlyMap<string, TableSpec>,
  path: Path,
  findings: Findings,
): { names: Names; lookups: readonly LookupSpec[] } {
  const found = new Map<string, readonly string[]>();
  const names: Names = { row: file.columns.map((column) => column.name), params: Object.keys(params), lookup: found };
  const specs: LookupSpec[] = [];
  for (const [name, lookup] of Object.entries(lookups)) {
    const table = known(tables, lookup.table, [...path, name, 'table'], 'table', findings);
    const key = compile(lookup.key, [...path, name, 'key'], { findings, names });
    const aliases = new Map(Object.entries(lookup.aliases));
    specs.push({ name, table: lookup.table, key, aliases, missing: lookup.missing });
    if (table) found.set(name, table.aggregates?.map((one) => one.name) ?? table.file.columns.map((one) => one.name));
  }
  return { names, lookups: specs };
}

function compileAggregate(name: string, aggregate: AggregateDocument, path: Path, place: Place): AggregateSpec {
  const [kind, of] =
    'count' in aggregate
      ? (['count', null] as const)
      : 'sum' in aggregate
        ? (['sum', aggregate.sum] as const)
        : 'max' in aggregate
          ? (['max', aggregate.max] as const)
          : 'min' in aggregate
            ? (['min', aggregate.min] as const)
            : (['latest', aggregate.latest] as const);
  if (RESERVED.has(name)) place.findings.add('PLB-MAP-NAME', path, `\`${name}\` is reserved`);
  const fallback = aggregate.default ?? (kind === 'count' ? 0 : null);
  return {
    name,
    kind,
    of: of === null ? null : compile(of, [...path, kind], place),
    by: 'by' in aggregate ? compile(aggregate.by, [...path, 'by'], place) : null,
    when: optional(aggregate.when, [...path, 'when'], place, 'bool'),
    fallback: typeof fallback === 'number' ? (celNumber(fallback) satisfies Cell) : fallback,
  };
}

function compileChange(change: ChangeDocument, path: Path, place: Place, contract: Contract): ChangeSpec {
  const { findings } = place;
  if (change.entity === 'account' && change.account_id !== undefined)
    findings.add('PLB-MAP-SHAPE', [...path, 'account_id'], 'an account has no `account_id`');
  if (change.op === 'delete' && Object.keys(change.fields).length > 0)
    findings.add('PLB-MAP-SHAPE', [...path, 'fields'], 'a delete has no fields');
  const account =
    typeof change.account_id === 'string' ? { cel: change.account_id, empty: 'leave_out' as const } : change.account_id;
  const accountPath = [...path, 'account_id', ...(typeof change.account_id === 'object' ? ['cel'] : [])];
  return {
    entity: change.entity,
    op: change.op,
    when: optional(change.when, [...path, 'when'], place, 'bool'),
    id: compile(change.id, [...path, 'id'], place),
    accountId: account ? { value: compile(account.cel, accountPath, place), empty: account.empty } : null,
    changedAt: compile(change.changed_at, [...path, 'changed_at'], place),
    sequence:
      typeof change.sequence === 'number' ? change.sequence : compile(change.sequence, [...path, 'sequence'], place),
    version: optional(change.version, [...path, 'version'], place, 'any'),
    fields: Object.entries(change.fields).flatMap(([name, field]) =>
      compileField(name, field, [...path, 'fields', name], place, contract, change.empty),
    ),
  };
}

function compileField(
  name: string,
  document: FieldDocument,
  path: Path,
  place: Place,
  contract: Contract,
  empty: 'leave_out' | 'clear',
): FieldSpec[] {
  const { findings } = place;
  const field = contract.fields.get(name);
  const envelope = name === 'id' || name === 'account_id';
  if (!field || envelope) {
    const others = [...contract.fields.keys()].filter((one) => one !== 'id' && one !== 'account_id');
    const hint = envelope ? 'it stands one level up, beside `fields`' : didYouMean(name, others);
    findings.add('PLB-MAP-NAME', path, `${contract.entity} has no field \`${name}\` to set`, hint);
    return [];
  }
  const constant = (value: unknown, at: Path): unknown => {
    try {
      decodeJson(field.type, value, name);
    } catch (error) {
      if (!(error instanceof ContractBreach)) throw error;
      findings.add('PLB-MAP-SHAPE', at, error.breach.message);
    }
    return value;
  };
  const written = typeof document === 'string' ? { cel: document } : document;
  if (typeof written !== 'object' || 'const' in written) {
    const value = constant(typeof written === 'object' ? written.const : written, path);
    return [{ name, type: field.type, value: { constant: value }, empty }];
  }
  const policy = written.empty ?? empty;
  if (policy === 'clear' && !field.nullable && written.empty === 'clear')
    findings.add('PLB-MAP-SHAPE', [...path, 'empty'], `\`${name}\` is required and may not be cleared`);
  return [
    {
      name,
      type: field.type,
      value: compile(written.cel, typeof document === 'string' ? path : [...path, 'cel'], place),
      empty: typeof policy === 'object' ? { value: constant(policy.value, [...path, 'empty', 'value']) } : policy,
    },
  ];
}

function optional(text: string | undefined, path: Path, place: Place, wants: 'bool' | 'any'): RowExpression | null {
  return text === undefined ? null : compile(text, path, place, wants);
}

function compile(text: string, path: Path, place: Place, wants: 'bool' | 'any' = 'any'): RowExpression {
  const result = compileRowExpression(text, place.names, wants);
  if ('run' in result) return result;
  const { findings } = place;
  const code = result.name === undefined ? 'PLB-MAP-CEL' : 'PLB-MAP-NAME';
  const hint = result.name === undefined ? null : didYouMean(result.name, result.known ?? []);
  findings.add(code, path, result.message, hint, { start: result.start, end: result.end });
  return { text, mayRead: () => false, run: () => null };
}
