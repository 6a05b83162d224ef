import { createHash } from 'node:crypto';
import { BUILTINS } from '../language/builtins.ts';
import { checkSet } from '../language/check-set.ts';
import type { CheckedSet, Contracts } from '../language/checked-set.ts';
import { type EntityKind, type Fields, formatDate } from '../language/contract.ts';
import type { Diagnostic } from '../language/diagnostics.ts';
import { dependsOnNow } from './emit-breakpoints.ts';
import { compilePattern } from './emit-pattern.ts';
import { emitSet } from './emit-set.ts';
import { type Projection, type ReadSet, readSetOf, waiverReadsOf } from './read-set.ts';
import { SetFault } from './set-fault.ts';

/** Part of every version: a change of the language's meaning changes it. */
const LANGUAGE_VERSION = 'plumbline/v1.0';

/** The generated code's functions; E is the entity's fields, A a deal's account's or null, instants are milliseconds. */
export interface Generated {
  /** @throws SetFault PLB-FAULT-COST */
  evaluate(
    E: Fields,
    A: Fields | null,
    now: number,
    O: Uint8Array,
    G: Int32Array,
    M: Uint8Array,
    S: Float64Array,
  ): void;
  /** The same image at another time: O, G, M and S hold what `evaluate` gave. @throws SetFault PLB-FAULT-COST */
  again(E: Fields, A: Fields | null, now: number, O: Uint8Array, G: Int32Array, M: Uint8Array, S: Float64Array): void;
  /** Appends the times at which comparisons with `now` flip; unordered, NaN and infinities among them. */
  breakpoints(E: Fields, A: Fields | null, R: number[]): void;
  readonly messages: readonly ((E: Fields, A: Fields | null, now: number) => string)[];
}

/** A set's version that can score. Made by `compileSet`. */
export interface CompiledSet {
  readonly name: string;
  readonly entity: EntityKind;
  /** 64 hex digits: SHA-256 of document, contracts and language version. */
  readonly version: string;
  readonly checked: CheckedSet;
  readonly generated: Generated;
  readonly reads: ReadSet;
  readonly dependsOnNow: boolean;
  /** Top-level account fields that a deal's set reads; an account's change of others doesn't move its deals. */
  readonly accountReads: ReadonlySet<string>;
  /** By constraint id: what `require` or `grade` reads of the set's own entity; what a waiver pins. */
  readonly waiverReads: ReadonlyMap<string, Projection>;
  readonly fixes: ReadonlyMap<string, string | undefined>;
}

export interface CompileOutcome {
  /** null where there is an error. */
  readonly set: CompiledSet | null;
  readonly diagnostics: readonly Diagnostic[];
}

/** Document to compiled set. Never throws for what a document holds. */
export function compileSet(file: string, text: string, contracts: Contracts): CompileOutcome {
  const { set, diagnostics } = checkSet(file, text, contracts);
  return { set: set ? compileChecked(set) : null, diagnostics };
}

export function compileChecked(checked: CheckedSet): CompiledSet {
  const emitted = emitSet(checked);
  const reads = readSetOf(checked);
  return {
    name: checked.name,
    entity: checked.entity,
    version: versionOf(checked),
    checked,
    generated: load(emitted.code, emitted.constants),
    reads,
    dependsOnNow: dependsOnNow(checked),
    accountReads: new Set(checked.entity === 'deal' ? reads.account.keys() : []),
    waiverReads: new Map(
      checked.constraints
        .filter((constraint) => constraint.waiver)
        .map((constraint) => [constraint.id, waiverReadsOf(checked, constraint)]),
    ),
    fixes: new Map(checked.constraints.map((constraint) => [constraint.id, constraint.fix ?? undefined])),
  };
}

/** The emitted code as it would run, for people. */
export function emittedCode(checked: CheckedSet): string {
  return emitSet(checked).code;
}

function versionOf(set: CheckedSet): string {
  const hash = createHash('sha256');
  for (const part of [
    LANGUAGE_VERSION,
    set.text,
    set.contracts[set.entity].source,
    set.entity === 'deal' ? set.contracts.account.source : '',
  ])
    hash.update(`${Buffer.byteLength(part)}:`).update(part);
  return hash.digest('hex');
}

const HELPERS = {
  ...BUILTINS,
  costFault: (limit: number): SetFault =>
    new SetFault('PLB-FAULT-COST', `the set took over ${limit} steps on this image`),
  printDate: (ms: number, zone: string): string => formatDate(BUILTINS.dateOfInstant(ms, zone)),
};

/** Patterns and sets reach the code as data: a pattern as a function that tests a text. */
function load(code: string, constants: readonly unknown[]): Generated {
  const ready = constants.map((constant) =>
    constant instanceof Set ? constant : compilePattern((constant as { pattern: string }).pattern),
  );
  return new Function('H', 'K', code)(HELPERS, ready) as Generated;
}
