import type { CheckedConstraint, CheckedSet } from '../language/checked-set.ts';
import { expressionsOf } from '../language/checked-set.ts';
import type { EntityKind } from '../language/contract.ts';
import { childrenOf, type Expr } from '../language/expression.ts';

/** What is read of one entity: top-level fields in the contract's order; of a list of records, the sub-fields read. */
export type Projection = ReadonlyMap<string, ReadonlySet<string> | null>;

export type ReadSet = { readonly [K in EntityKind]: Projection };

/** Which field of which entity an expression's records come from. */
type Origin = { readonly entity: EntityKind; readonly field: string };

type Mutable = { [K in EntityKind]: Map<string, Set<string> | null> };

/** Everything that a set reads, messages and segments of parameters included. */
export function readSetOf(set: CheckedSet): ReadSet {
  const reads: Mutable = { deal: new Map(), account: new Map() };
  for (const param of set.params) if (param.by) note(reads, set, { entity: param.by.entity, field: param.by.field });
  for (const constraint of set.constraints) for (const { expr } of expressionsOf(constraint)) collect(expr, set, reads);
  return inContractOrder(reads, set);
}

/** What a constraint's `require` or `grade` reads of the set's own entity: what a waiver pins. */
export function waiverReadsOf(set: CheckedSet, constraint: CheckedConstraint): Projection {
  const reads: Mutable = { deal: new Map(), account: new Map() };
  collect(constraint.expr.expr, set, reads);
  return inContractOrder(reads, set)[set.entity];
}

function inContractOrder(reads: Mutable, set: CheckedSet): ReadSet {
  const ordered = (entity: EntityKind): Projection => {
    const names = [...set.contracts[entity].fields.keys()].filter((name) => reads[entity].has(name));
    return new Map(names.map((name) => [name, reads[entity].get(name) ?? null]));
  };
  return { deal: ordered('deal'), account: ordered('account') };
}

function note(reads: Mutable, set: CheckedSet, origin: Origin, sub?: string): void {
  const fields = reads[origin.entity];
  const type = set.contracts[origin.entity].fields.get(origin.field)?.type;
  const isRecords = type?.kind === 'list' && type.items.kind === 'record';
  if (!fields.has(origin.field)) fields.set(origin.field, isRecords || type?.kind === 'record' ? new Set() : null);
  if (sub !== undefined) fields.get(origin.field)?.add(sub);
}

function collect(expr: Expr, set: CheckedSet, reads: Mutable): void {
  visit(expr, new Map());

  function visit(node: Expr, variables: ReadonlyMap<number, readonly Origin[]>): void {
    if (node.op === 'field') noteField(node.object, node.name, variables);
    if (node.op === 'has') noteField(node.field.object, node.field.name, variables);
    if (node.op === 'macro') {
      visit(node.list, variables);
      const inner = new Map([...variables, [node.variableId, originsOf(node.list, variables)]]);
      if (node.predicate) visit(node.predicate, inner);
      if (node.transform) visit(node.transform, inner);
      return;
    }
    for (const child of childrenOf(node)) visit(child, variables);
  }

  function noteField(object: Expr, name: string, variables: ReadonlyMap<number, readonly Origin[]>): void {
    if (object.op === 'entity') note(reads, set, { entity: object.entity, field: name });
    else for (const origin of originsOf(object, variables)) note(reads, set, origin, name);
  }

  function originsOf(node: Expr, variables: ReadonlyMap<number, readonly Origin[]>): readonly Origin[] {
    switch (node.op) {
      case 'field':
        return node.object.op === 'entity'
          ? [{ entity: node.object.entity, field: node.name }]
          : originsOf(node.object, variables);
      case 'variable':
        return variables.get(node.variableId) ?? [];
      case 'index':
        return originsOf(node.list, variables);
      case 'cond':
        return [...originsOf(node.then, variables), ...originsOf(node.otherwise, variables)];
      case 'arithmetic':
        return [...originsOf(node.left, variables), ...originsOf(node.right, variables)];
      case 'list':
        return node.items.flatMap((item) => originsOf(item, variables));
      case 'macro': {
        if (!node.transform) return originsOf(node.list, variables);
        return originsOf(node.transform, new Map([...variables, [node.variableId, originsOf(node.list, variables)]]));
      }
      default:
        return [];
    }
  }
}
