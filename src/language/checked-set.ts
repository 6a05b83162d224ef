import type { Contract, EntityKind, Fields, Scalar } from './contract.ts';
import type { ExampleDocument, SetDocument, Severity } from './document-shape.ts';
import type { Expr, Type } from './expression.ts';

export type Contracts = { readonly [K in EntityKind]: Contract };

/** A set that passed every check: what the compiler, the explanation and the examples work on. */
export interface CheckedSet {
  readonly name: string;
  readonly entity: EntityKind;
  readonly timeZone: string;
  /** Milliseconds; null where every answer's next change can be derived. */
  readonly recheckEveryMs: number | null;
  readonly params: readonly CheckedParam[];
  readonly scoring: SetDocument['scoring'];
  readonly constraints: readonly CheckedConstraint[];
  readonly examples: readonly CheckedExample[];
  readonly contracts: Contracts;
  /** The document as it was written. */
  readonly text: string;
  readonly file: string;
}

export interface CheckedParam {
  readonly name: string;
  readonly type: Type;
  readonly unit: string | null;
  readonly value: Scalar;
  /** By the value of an entity's field, other values. */
  readonly by: {
    readonly entity: EntityKind;
    readonly field: string;
    readonly values: ReadonlyMap<string, Scalar>;
  } | null;
}

export interface CheckedConstraint {
  readonly id: string;
  readonly title: string;
  readonly severity: Severity;
  readonly weight: number;
  readonly when: SourceExpr | null;
  readonly kind: 'require' | 'grade';
  readonly expr: SourceExpr;
  /** A grade's degree below which it is violated, in 1/10000. */
  readonly violatedBelow: number;
  readonly onMissing: 'violated' | 'satisfied' | 'unknown';
  readonly message: Template;
  readonly fix: string | null;
  readonly waiver: { readonly roles: readonly string[]; readonly maxMs: number } | null;
  readonly owner: string | null;
}

/** A typed expression with its text. */
export interface SourceExpr {
  readonly text: string;
  readonly expr: Expr;
}

export type Template = readonly (string | SourceExpr)[];

export interface CheckedExample {
  readonly name: string;
  readonly line: number;
  readonly now: number;
  readonly deal: Fields | null;
  readonly account: Fields | null;
  readonly document: ExampleDocument;
}

/** Every expression of a constraint: condition, requirement or grade, and the message's parts. */
export function expressionsOf(constraint: CheckedConstraint): readonly SourceExpr[] {
  const parts = constraint.message.filter((part) => typeof part !== 'string');
  return constraint.when ? [constraint.when, constraint.expr, ...parts] : [constraint.expr, ...parts];
}
