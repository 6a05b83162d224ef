import { isTimeZone } from './builtins.ts';
import { checkExpression, type Finding, type Scope } from './check-expression.ts';
import type {
  CheckedConstraint,
  CheckedExample,
  CheckedParam,
  CheckedSet,
  Contracts,
  SourceExpr,
  Template,
} from './checked-set.ts';
import { expressionsOf } from './checked-set.ts';
import { findConstantConditions } from './constant-conditions.ts';
import {
  ContractBreach,
  decodeJson,
  type EntityKind,
  type Fields,
  parseInstant,
  type Scalar,
  type Value,
} from './contract.ts';
import { type Diagnostic, diagnose, makeSource, positionAt, type Span } from './diagnostics.ts';
import {
  type ConstraintDocument,
  documentDurationMs,
  type ExampleDocument,
  type ParameterDocument,
  type SetDocument,
} from './document-shape.ts';
import { childrenOf, type Expr, type Type } from './expression.ts';
import { type Facts, NO_FACTS, presentIf } from './facts.ts';
import { type Path, type Places, readDocument } from './read-document.ts';
import { snap } from './snap.ts';
import { didYouMean } from './suggest.ts';

/** Where a grade without `violated_below` counts as violated. */
const DEFAULT_VIOLATED_BELOW = 0.5;
/** Looking again more often than this would load the processor for nothing. */
const MIN_RECHECK_MS = 60_000;

export interface CheckOutcome {
  /** null where there is an error. */
  readonly set: CheckedSet | null;
  readonly diagnostics: readonly Diagnostic[];
}

/** Checks a set's document against the contracts. Never throws for what a document holds. */
export function checkSet(file: string, written: string, contracts: Contracts): CheckOutcome {
  // A byte order mark is no part of the text: with it, columns and the version would differ.
  const text = written.replace(/^\uFEFF/, '');
  const source = makeSource(file, text);
  const read = readDocument(source);
  if (!read.document) return { set: null, diagnostics: read.diagnostics };
  const { document, places } = read;
  const diagnostics: Diagnostic[] = [];
  const report = (span: Span, code: string, message: string, hint: string | null = null): void => {
    diagnostics.push(diagnose(source, span, code, message, hint));
  };
  const context: Context = { document, places, contracts, report };

  checkScoring(context);
  if (!isTimeZone(document.time_zone))
    report(
      places.valueAt(['time_zone']),
      'PLB-SET-TIME-ZONE',
      `unknown time zone \`${document.time_zone}\``,
      'such as UTC or Europe/Berlin',
    );
  const recheckEveryMs = document.recheck_every === undefined ? null : documentDurationMs(document.recheck_every);
  if (recheckEveryMs !== null && recheckEveryMs < MIN_RECHECK_MS)
    report(
      places.valueAt(['recheck_every']),
      'PLB-SET-RECHECK',
      'looking again more often than every minute is not supported',
      'use 1m or longer',
    );
  const params = Object.entries(document.parameters).map(([name, parameter]) => checkParam(context, name, parameter));
  const scope = scopeOf(document.entity, contracts, params);
  const seen = new Map<string, number>();
  const constraints: CheckedConstraint[] = [];
  document.constraints.forEach((constraint, index) => {
    const path: Path = ['constraints', index];
    if (seen.has(constraint.id))
      report(
        places.valueAt([...path, 'id']),
        'PLB-SET-DUPLICATE-ID',
        `the id \`${constraint.id}\` is used twice`,
        'every constraint has an id of its own',
      );
    seen.set(constraint.id, index);
    const checked = checkConstraint(context, scope, constraint, path);
    if (checked) constraints.push(checked);
  });
  if (constraints.length === document.constraints.length) checkParamsUsed(context, params, constraints);
  const examples = document.examples.map((example, index) =>
    checkExample(context, example, index, (offset) => positionAt(source, offset).line),
  );
  if (diagnostics.some((found) => found.severity === 'error')) return { set: null, diagnostics };
  const { name, entity, scoring } = document;
  return {
    set: {
      name,
      entity,
      timeZone: document.time_zone,
      recheckEveryMs,
      params,
      scoring,
      constraints,
      examples: examples.filter((example) => example !== null),
      contracts,
      text,
      file,
    },
    diagnostics,
  };
}

interface Context {
  readonly document: SetDocument;
  readonly places: Places;
  readonly contracts: Contracts;
  report(span: Span, code: string, message: string, hint?: string | null): void;
}

export function scopeOf(entity: EntityKind, contracts: Contracts, params: readonly CheckedParam[]): Scope {
  const account = { contract: contracts.account, mayBeAbsent: entity === 'deal' };
  return {
    entities:
      entity === 'deal'
        ? new Map([
            ['deal', { contract: contracts.deal, mayBeAbsent: false }],
            ['account', account],
          ])
        : new Map([['account', account]]),
    params: new Map(
      params.map(({ name, type, value, by }) => [name, { type, values: [value, ...(by?.values.values() ?? [])] }]),
    ),
  };
}

function checkScoring({ document, places, report }: Context): void {
  const { bands, hysteresis } = document.scoring;
  if (!(bands.watch > bands.at_risk && bands.at_risk > bands.critical))
    report(
      places.keyAt(['scoring', 'bands']),
      'PLB-SET-BANDS',
      `bands must fall: watch ${bands.watch}, at_risk ${bands.at_risk}, critical ${bands.critical}`,
      'such as { watch: 90, at_risk: 70, critical: 50 }',
    );
  if (bands.watch + hysteresis > 100)
    report(
      places.valueAt(['scoring', document.scoring.hysteresis === 0 ? 'bands' : 'hysteresis']),
      'PLB-SET-HYSTERESIS',
      `band ${bands.watch} plus hysteresis ${hysteresis} is over 100: nothing could ever leave it`,
      'lower one of the two',
    );
}

const PARAM_TYPES = { double: 'number', int: 'number', string: 'string', bool: 'boolean' } as const;

function checkParam(
  { document, places, contracts, report }: Context,
  name: string,
  parameter: ParameterDocument,
): CheckedParam {
  const path: Path = ['parameters', name];
  const checkValue = (value: Scalar, at: Path): void => {
    if (typeof value !== PARAM_TYPES[parameter.type] || (parameter.type === 'int' && !Number.isSafeInteger(value)))
      return report(
        places.valueAt(at),
        'PLB-SET-PARAM-TYPE',
        `\`${name}\` is a ${parameter.type}, got \`${String(value).slice(0, 80)}\``,
      );
    if (typeof value !== 'number') return;
    if (!Number.isFinite(value))
      report(places.valueAt(at), 'PLB-SET-PARAM-RANGE', `\`${name}\` must be a finite number`);
    if (
      (parameter.min !== undefined && value < parameter.min) ||
      (parameter.max !== undefined && value > parameter.max)
    )
      report(
        places.valueAt(at),
        'PLB-SET-PARAM-RANGE',
        `\`${name}\` is ${value}, outside ${parameter.min ?? '…'} to ${parameter.max ?? '…'}`,
      );
  };
  checkValue(parameter.default, [...path, 'default']);
  if (parameter.min !== undefined && parameter.max !== undefined && parameter.min > parameter.max)
    report(places.valueAt([...path, 'min']), 'PLB-SET-PARAM-RANGE', `\`${name}\` has a min above its max`);
  for (const bound of ['min', 'max'] as const)
    if (parameter[bound] !== undefined && PARAM_TYPES[parameter.type] !== 'number')
      report(
        places.keyAt([...path, bound]),
        'PLB-SET-PARAM-RANGE',
        `\`${name}\` is a ${parameter.type}, which has no \`${bound}\``,
        'leave it out',
      );
  const type: Type = { k: parameter.type };
  const base = { name, type, unit: parameter.unit ?? null, value: parameter.default };
  if (!parameter.by) return { ...base, by: null };
  const fieldPath = [...path, 'by', 'field'];
  const [root, fieldName, ...rest] = parameter.by.field.split('.');
  const known = document.entity === 'deal' ? ['deal', 'account'] : ['account'];
  if ((root !== 'deal' && root !== 'account') || !known.includes(root) || fieldName === undefined || rest.length > 0) {
    report(
      places.valueAt(fieldPath),
      'PLB-SET-PARAM-BY',
      `\`${parameter.by.field}\` is no field`,
      `such as ${document.entity}.segment`,
    );
    return { ...base, by: null };
  }
  const field = contracts[root].fields.get(fieldName);
  if (!field)
    report(
      places.valueAt(fieldPath),
      'PLB-EXPR-UNKNOWN-FIELD',
      `${root} has no field \`${fieldName}\``,
      didYouMean(fieldName, contracts[root].fields.keys()),
    );
  else if (field.type.kind !== 'string' && field.type.kind !== 'enum')
    report(
      places.valueAt(fieldPath),
      'PLB-SET-PARAM-BY',
      `\`${parameter.by.field}\` is no text`,
      'a segment is a string or an enum',
    );
  const values = new Map<string, Scalar>();
  for (const [segment, value] of Object.entries(parameter.by.values)) {
    const at = [...path, 'by', 'values', segment];
    if (field?.type.kind === 'enum' && !field.type.symbols.includes(segment))
      report(
        places.keyAt(at),
        'PLB-EXPR-ENUM',
        `\`${segment}\` is none of its values`,
        didYouMean(segment, field.type.symbols),
      );
    checkValue(value, at);
    values.set(segment, value);
  }
  return { ...base, by: { entity: root, field: fieldName, values } };
}

function checkConstraint(
  context: Context,
  scope: Scope,
  constraint: ConstraintDocument,
  path: Path,
): CheckedConstraint | null {
  const { places, report, document } = context;
  if ((constraint.require === undefined) === (constraint.grade === undefined)) {
    report(
      places.valueAt([...path, 'id']),
      'PLB-SET-REQUIRE-OR-GRADE',
      `\`${constraint.id}\` needs either \`require\` or \`grade\``,
      'require: a condition; grade: a double from 0 to 1',
    );
    return null;
  }
  const kind = constraint.require === undefined ? 'grade' : 'require';
  const text = constraint.require ?? constraint.grade ?? '';
  if (kind === 'require' && constraint.violated_below !== undefined)
    report(
      places.keyAt([...path, 'violated_below']),
      'PLB-SET-VIOLATED-BELOW',
      '`violated_below` belongs to a `grade`',
      'leave it out',
    );

  const when =
    constraint.when === undefined
      ? null
      : checkAt(context, scope, constraint.when, [...path, 'when'], 'bool', NO_FACTS);
  const facts = when ? presentIf(when.expr, true) : NO_FACTS;
  const expr = checkAt(context, scope, text, [...path, kind], kind === 'require' ? 'bool' : 'double', facts);
  const message = checkTemplate(context, scope, constraint.message, [...path, 'message'], facts);
  if ((constraint.when !== undefined && !when) || !expr || !message) return null;

  if (expr.expr.mayMiss && constraint.on_missing === undefined)
    report(
      places.keyAt([...path, kind]),
      'PLB-SET-ON-MISSING',
      `\`${constraint.id}\` can be missing its data: ${whatMisses(expr)}`,
      'add on_missing: violated, satisfied or unknown',
    );
  if (!expr.expr.mayMiss && constraint.on_missing !== undefined)
    report(
      places.keyAt([...path, 'on_missing']),
      'PLB-SET-ON-MISSING',
      `\`${constraint.id}\` is never missing its data`,
      'leave on_missing out',
    );
  for (const [part, key] of [
    [when, 'when'],
    [expr, kind],
  ] as const)
    for (const found of part ? findConstantConditions(part.expr) : [])
      report(places.inside([...path, key], found.span.start, found.span.end), found.code, found.message, found.hint);
  const checked: CheckedConstraint = {
    id: constraint.id,
    title: constraint.title,
    severity: constraint.severity,
    weight: constraint.weight,
    when,
    kind,
    expr,
    violatedBelow: snap((constraint.violated_below ?? DEFAULT_VIOLATED_BELOW) * 10_000),
    onMissing: constraint.on_missing ?? 'unknown',
    message,
    fix: constraint.fix ?? null,
    waiver: constraint.waiver
      ? { roles: constraint.waiver.by, maxMs: documentDurationMs(constraint.waiver.for_at_most) }
      : null,
    owner: constraint.owner ?? null,
  };
  const unsolved = [when, expr].find((part) => part?.expr.now === 'unsolved');
  if (unsolved && document.recheck_every === undefined)
    report(
      places.keyAt([...path, unsolved === when ? 'when' : kind]),
      'PLB-SET-RECHECK',
      `when \`${constraint.id}\` next changes with \`now\` can't be derived`,
      'compare times directly (now - deal.x > duration("36h")), or add recheck_every: 1d to the set',
    );
  return checked;
}

function whatMisses(source: SourceExpr): string {
  let found: Expr = source.expr;
  for (let next = found; ; ) {
    const child = childrenOf(next).find((part) => part.mayMiss);
    if (!child) {
      found = next;
      break;
    }
    next = child;
  }
  const text = source.text.slice(found.start, found.end).replace(/\s+/g, ' ');
  return `\`${text.length > 60 ? `${text.slice(0, 57)}…` : text}\``;
}

function checkAt(
  context: Context,
  scope: Scope,
  text: string,
  path: Path,
  expected: Type['k'] | null,
  facts: Facts,
): SourceExpr | null {
  const { expr, findings } = checkExpression(text, scope, expected, facts);
  reportFindings(context, path, 0, findings);
  return expr ? { text, expr } : null;
}

function reportFindings({ places, report }: Context, path: Path, offset: number, findings: readonly Finding[]): void {
  for (const found of findings)
    report(
      places.inside(path, found.span.start + offset, found.span.end + offset),
      found.code,
      found.message,
      found.hint,
    );
}

function checkTemplate(context: Context, scope: Scope, text: string, path: Path, facts: Facts): Template | null {
  const parts: (string | SourceExpr)[] = [];
  let sound = true;
  let at = 0;
  while (at < text.length) {
    const open = text.indexOf('{{', at);
    if (open === -1) break;
    if (open > at) parts.push(text.slice(at, open));
    const close = endOfHole(text, open + 2);
    if (close === -1) {
      context.report(
        context.places.inside(path, open, open + 2),
        'PLB-SET-MESSAGE',
        '`{{` has no `}}`',
        'close it, or write the text without braces',
      );
      return null;
    }
    const inner = text.slice(open + 2, close);
    const { expr, findings } = checkExpression(inner, scope, null, facts);
    reportFindings(context, path, open + 2, findings);
    if (expr && (expr.type.k === 'entity' || expr.type.k === 'record' || expr.type.k === 'list')) {
      context.report(
        context.places.inside(path, open + 2, close),
        'PLB-SET-MESSAGE',
        'a message prints single values',
        'name a field of it, or count it with size(…)',
      );
      sound = false;
    } else if (expr) parts.push({ text: inner, expr });
    else sound = false;
    at = close + 2;
  }
  if (at < text.length) parts.push(text.slice(at));
  return sound ? parts : null;
}

/** The `}}` that ends a hole: one inside quotes doesn't. Quotes are read as the parser of expressions reads them. */
function endOfHole(text: string, from: number): number {
  let quotes: string | null = null;
  for (let i = from; i < text.length; i++) {
    const unit = text[i];
    if (quotes !== null) {
      // Also in a raw string the parser takes the next character for no quote.
      if (unit === '\\') i++;
      else if (text.startsWith(quotes, i)) {
        i += quotes.length - 1;
        quotes = null;
      }
    } else if (unit === '"' || unit === "'") {
      quotes = text.startsWith(unit.repeat(3), i) ? unit.repeat(3) : unit;
      i += quotes.length - 1;
    } else if (unit === '}' && text[i + 1] === '}') return i;
  }
  return -1;
}

function checkParamsUsed(
  { places, report }: Context,
  params: readonly CheckedParam[],
  constraints: readonly CheckedConstraint[],
): void {
  const used = new Set<string>();
  const visit = (expr: Expr): void => {
    if (expr.op === 'param') used.add(expr.name);
    childrenOf(expr).forEach(visit);
  };
  for (const constraint of constraints) for (const { expr } of expressionsOf(constraint)) visit(expr);
  for (const param of params)
    if (!used.has(param.name))
      report(
        places.keyAt(['parameters', param.name]),
        'PLB-SET-UNUSED-PARAM',
        `no constraint uses the parameter \`${param.name}\``,
        `remove it, or read params.${param.name}`,
      );
}

function checkExample(
  context: Context,
  example: ExampleDocument,
  index: number,
  lineOf: (offset: number) => number,
): CheckedExample | null {
  const { document, places, report, contracts } = context;
  const path: Path = ['examples', index];
  let sound = true;
  const now = parseInstant(example.now);
  if (now === null) {
    report(places.valueAt([...path, 'now']), 'PLB-SET-EXAMPLE', '`now` is no instant', 'such as 2026-03-01T00:00:00Z');
    sound = false;
  }
  const decode = (entity: EntityKind, fields: { readonly [name: string]: unknown } | undefined): Fields | null => {
    if (fields === undefined) return null;
    const decoded: { [name: string]: Value } = {};
    const contract = contracts[entity];
    for (const [name, value] of Object.entries(fields)) {
      const field = contract.fields.get(name);
      if (!field) {
        report(
          places.keyAt([...path, entity, name]),
          'PLB-EXPR-UNKNOWN-FIELD',
          `${entity} has no field \`${name}\``,
          didYouMean(name, contract.fields.keys()),
        );
        sound = false;
        continue;
      }
      if (value === null) continue;
      try {
        decoded[name] = decodeJson(field.type, value, name);
      } catch (error) {
        if (!(error instanceof ContractBreach)) throw error;
        report(places.valueAt([...path, entity, name]), error.breach.code, error.breach.message);
        sound = false;
      }
    }
    for (const name of contract.required)
      if (decoded[name] === undefined) {
        report(places.keyAt([...path, entity]), 'PLB-FIELD-REQUIRED', `${entity} lacks its required field \`${name}\``);
        sound = false;
      }
    for (const name of contract.fields.keys()) decoded[name] ??= null;
    return decoded;
  };
  if (document.entity === 'account' && example.deal)
    report(places.keyAt([...path, 'deal']), 'PLB-SET-EXAMPLE', 'a set on accounts sees no deal', 'leave it out');
  if (!example[document.entity]) {
    report(places.keyAt(path), 'PLB-SET-EXAMPLE', `the example has no ${document.entity}`);
    sound = false;
  }
  const ids = new Set(document.constraints.map((constraint) => constraint.id));
  for (const outcome of ['satisfied', 'violated', 'waived', 'unknown', 'not_applicable'] as const)
    example.expect[outcome]?.forEach((id, i) => {
      if (!ids.has(id))
        report(
          places.valueAt([...path, 'expect', outcome, i]),
          'PLB-SET-EXAMPLE',
          `no constraint \`${id}\``,
          didYouMean(id, ids),
        );
    });
  example.waivers?.forEach((waiver, i) => {
    if (!ids.has(waiver.constraint))
      report(
        places.valueAt([...path, 'waivers', i, 'constraint']),
        'PLB-SET-EXAMPLE',
        `no constraint \`${waiver.constraint}\``,
        didYouMean(waiver.constraint, ids),
      );
    for (const key of ['granted_at', 'until'] as const)
      if (parseInstant(waiver[key]) === null)
        report(
          places.valueAt([...path, 'waivers', i, key]),
          'PLB-SET-EXAMPLE',
          `\`${key}\` is no instant`,
          'such as 2026-03-01T00:00:00Z',
        );
  });
  const deal = decode('deal', document.entity === 'deal' ? example.deal : undefined);
  const account = decode('account', example.account);
  if (!sound || now === null) return null;
  return {
    name: example.name,
    line: lineOf(places.keyAt([...path, 'name']).start),
    now,
    deal,
    account,
    document: example,
  };
}
