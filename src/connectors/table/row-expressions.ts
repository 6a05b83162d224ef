import {
  compileIn,
  type Expression,
  type ExpressionFault,
  type Member,
  mappingEnvironment,
  memberOf,
  type NameFault,
} from '../mapping/expressions.ts';

/** What an expression sees: the row's typed cells, what its look-ups found, the file's name, the mapping's constants. */
export interface RowScope {
  readonly row: { readonly [column: string]: unknown };
  readonly lookup: { readonly [name: string]: unknown };
  readonly params: { readonly [name: string]: unknown };
  readonly file: string;
}

export type RowExpression = Expression<RowScope>;

/** The names that an expression may read. */
export interface Names {
  readonly row: readonly string[];
  readonly params: readonly string[];
  /** Columns by look-up. */
  readonly lookup: ReadonlyMap<string, readonly string[]>;
}

const environment = mappingEnvironment({ row: 'map', lookup: 'map', params: 'map', file: 'string' });

export const compileRowExpression = (
  text: string,
  names: Names,
  wants: 'bool' | 'any',
): RowExpression | ExpressionFault => compileIn(environment, text, (member) => checkMember(member, names), wants);

function checkMember({ of, name }: Member, names: Names): NameFault | null {
  const unknown = (what: string, known: readonly string[]): NameFault | null =>
    known.includes(name) ? null : { message: `${what} \`${name}\` is not declared`, known, name };
  if (of.op === 'id') {
    if (of.args === 'row') return unknown('column', names.row);
    if (of.args === 'params') return unknown('parameter', names.params);
    if (of.args === 'lookup') return unknown('look-up', [...names.lookup.keys()]);
    return null;
  }
  const outer = memberOf(of);
  if (outer?.of.op !== 'id' || outer.of.args !== 'lookup') return null;
  const columns = names.lookup.get(outer.name);
  return columns ? unknown(`value of look-up \`${outer.name}\``, columns) : null;
}
