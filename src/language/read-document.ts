import {
  type Document,
  isMap,
  isPair,
  isScalar,
  isSeq,
  Lexer,
  type Node,
  type Pair,
  parseDocument,
  visit,
  type YAMLMap,
} from 'yaml';
import type { z } from 'zod';
import { type Diagnostic, diagnose, type Source, type Span } from './diagnostics.ts';
import { documentShape, type SetDocument } from './document-shape.ts';
import { didYouMean } from './suggest.ts';

/** A set's document is at most this long. */
export const MAX_DOCUMENT_LENGTH = 4 * 1024 * 1024;
/** Two thousand constraints with as many examples are under it; parsing takes some 10 µs a token. */
const MAX_TOKENS = 500_000;
/** More findings than anybody reads: a key that is unknown a hundred thousand times is told so often. */
const MAX_KEYS_TOLD = 20;

export type Path = readonly (string | number)[];

/** Finds places in a YAML document. */
export interface Places {
  /** The value at a path, or the nearest node above it. */
  valueAt(path: Path): Span;
  /** The key at a path, or its value where it has none. */
  keyAt(path: Path): Span;
  /** Where the characters [start, end) of the string at a path stand in the source. */
  inside(path: Path, start: number, end: number): Span;
}

export interface ReadDocument {
  readonly document: SetDocument | null;
  readonly places: Places;
  readonly diagnostics: readonly Diagnostic[];
}

const NOWHERE: Places = {
  valueAt: () => ({ start: 0, end: 1 }),
  keyAt: () => ({ start: 0, end: 1 }),
  inside: () => ({ start: 0, end: 1 }),
};

/** Reads YAML into a set's document: its syntax, then its shape. Never throws for what a document holds. */
export function readDocument(source: Source): ReadDocument {
  const refused = (code: string, message: string, hint: string): ReadDocument => ({
    document: null,
    places: NOWHERE,
    diagnostics: [diagnose(source, { start: 0, end: 1 }, code, message, hint)],
  });
  if (source.text.length > MAX_DOCUMENT_LENGTH)
    return refused(
      'PLB-DOC-TOO-LARGE',
      `the document has ${source.text.length} characters, at most ${MAX_DOCUMENT_LENGTH}`,
      'split it into several sets',
    );
  if (hasMoreTokensThan(MAX_TOKENS, source.text))
    return refused(
      'PLB-DOC-TOO-LARGE',
      `the document has over ${MAX_TOKENS} words and signs`,
      'split it into several sets',
    );
  const tooDeep = (): ReadDocument =>
    refused('PLB-DOC-YAML', 'the document is nested too deep', 'a set is at most a dozen levels deep');
  let yaml: Document.Parsed;
  let raw: unknown;
  try {
    yaml = parseDocument(source.text, {
      // The parser's own check compares each key with each other.
      uniqueKeys: false,
      prettyErrors: false,
      merge: false,
      logLevel: 'error',
    });
    if (yaml.errors.some((error) => error.message.startsWith('Maximum call stack'))) return tooDeep();
    const diagnostics = [
      ...yaml.errors
        .slice(0, 20)
        .map((error) =>
          diagnose(source, { start: error.pos[0], end: error.pos[1] }, 'PLB-DOC-YAML', ...yamlMessage(error)),
        ),
      ...refusedNodes(yaml, source),
    ];
    if (diagnostics.length > 0) return { document: null, places: NOWHERE, diagnostics };
    raw = yaml.toJS({ maxAliasCount: 0 });
  } catch (error) {
    if (error instanceof RangeError) return tooDeep();
    throw error;
  }
  const places = placesOf(yaml, source);
  const shaped = documentShape.safeParse(raw, { reportInput: true });
  if (shaped.success) return { document: shaped.data, places, diagnostics: [] };
  return {
    document: null,
    places,
    diagnostics: shaped.error.issues.slice(0, 50).flatMap((issue) => shapeDiagnostics(issue, places, source)),
  };
}

function hasMoreTokensThan(limit: number, text: string): boolean {
  // A token has at least one character.
  if (text.length <= limit) return false;
  let count = 0;
  for (const _ of new Lexer().lex(text)) if (++count > limit) return true;
  return false;
}

/** What YAML allows and a set doesn't: aliases (they can grow without bound), tags, keys twice, `__proto__`. */
function refusedNodes(yaml: Document.Parsed, source: Source): Diagnostic[] {
  const found: Diagnostic[] = [];
  const refuseAt = (span: Span, code: string, message: string, hint: string): void => {
    if (found.length < MAX_KEYS_TOLD) found.push(diagnose(source, span, code, message, hint));
  };
  const spanOf = (node: Node): Span => ({ start: node.range?.[0] ?? 0, end: node.range?.[1] ?? 1 });
  const refuse = (node: Node, code: string, message: string, hint: string): void =>
    refuseAt(spanOf(node), code, message, hint);
  const refuseTag = (node: Node): void => {
    // Looking for the tag takes time: not for more of them than are told.
    if (node.tag === undefined || found.length >= MAX_KEYS_TOLD) return;
    refuseAt(
      tagBefore(source.text, spanOf(node).start),
      'PLB-DOC-YAML',
      'YAML takes what begins with `!` for a tag, and tags are not allowed',
      'put an expression that begins with `!` into quotes, or write it after `>`',
    );
  };
  visit(yaml, {
    Alias: (_, alias) =>
      refuse(alias, 'PLB-DOC-YAML', `aliases (\`*${alias.source}\`) are not allowed`, 'write the value out'),
    Seq: (_, seq) => refuseTag(seq),
    Scalar: (_, scalar) => {
      refuseTag(scalar);
      const { value, type } = scalar;
      if (typeof value !== 'string' || value.isWellFormed()) return;
      const span = spanOf(scalar);
      const start = alignScalar(source.text, span, value, type ?? 'PLAIN')[value.search(LONE_SURROGATE)] ?? span.start;
      refuseAt(
        { start, end: start + 1 },
        'PLB-DOC-YAML',
        'half of a surrogate pair is no character',
        'write the character itself, or both halves',
      );
    },
    Map: (_, map) => {
      refuseTag(map);
      const seen = new Set<string>();
      for (const { key } of map.items) {
        if (!isScalar(key)) continue;
        const name = String(key.value);
        if (name === '__proto__') refuse(key, 'PLB-DOC-KEY', 'unknown key `__proto__`', 'use another name');
        else if (seen.has(name))
          refuse(key, 'PLB-DOC-YAML', `the key \`${clip(name)}\` is there twice`, 'keep one of the two');
        seen.add(name);
      }
    },
  });
  return found;
}

/** With the flag `u`, a pair of surrogates is one character of another kind. */
const LONE_SURROGATE = /\p{Surrogate}/u;

/** At the end of a word, in a flow also behind a bracket or a comma. */
const TAG = /(?<![^[{,])![^,]*$/;

/** The word before a value that begins with `!`; an anchor may stand between. */
function tagBefore(text: string, valueStart: number): Span {
  let end = valueStart;
  for (let words = 0; words < 2; words++) {
    while (end > 0 && /\s/.test(text[end - 1] ?? '')) end--;
    let start = end;
    while (start > 0 && /\S/.test(text[start - 1] ?? '')) start--;
    const mark = text.slice(start, end).match(TAG)?.index;
    if (mark !== undefined) return { start: start + mark, end };
    end = start;
  }
  return { start: valueStart, end: valueStart + 1 };
}

const clip = (text: string): string => (text.length > 80 ? `${text.slice(0, 77)}…` : text);

function yamlMessage(error: { readonly code: string; readonly message: string }): [string, string | null] {
  if (error.code === 'MULTIPLE_DOCS') return ['the file holds a second document', 'one set a file'];
  const message = error.message.split('\n', 1)[0] ?? error.message;
  if (error.code === 'BAD_INDENT' || error.code === 'TAB_AS_INDENT')
    return [message, 'indent with spaces, the same number in one block'];
  return [message, null];
}

function shapeDiagnostics(issue: z.core.$ZodIssue, places: Places, source: Source): Diagnostic[] {
  const path = issue.path.filter((part) => typeof part !== 'symbol');
  const label = path.length === 0 ? 'the document' : `\`${formatPath(path)}\``;
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys
        .slice(0, MAX_KEYS_TOLD)
        .map((key) =>
          diagnose(
            source,
            places.keyAt([...path, key]),
            'PLB-DOC-KEY',
            `unknown key \`${clip(key)}\``,
            didYouMean(key, knownKeys(path)),
          ),
        );
    case 'invalid_type':
      if (issue.input === undefined)
        return [
          diagnose(
            source,
            places.keyAt(path.slice(0, -1)),
            'PLB-DOC-REQUIRED',
            `${label} is missing`,
            `it is ${withArticle(issue.expected)}`,
          ),
        ];
      return [
        diagnose(
          source,
          places.valueAt(path),
          'PLB-DOC-TYPE',
          `${label} is ${kindOf(issue.input)}, expected ${withArticle(issue.expected)}`,
        ),
      ];
    case 'invalid_value':
      if (issue.input === undefined)
        return [
          diagnose(
            source,
            places.keyAt(path.slice(0, -1)),
            'PLB-DOC-REQUIRED',
            `${label} is missing`,
            `one of ${issue.values.join(', ')}`,
          ),
        ];
      return [
        diagnose(
          source,
          places.valueAt(path),
          'PLB-DOC-VALUE',
          `${label} is \`${String(issue.input).slice(0, 80)}\`, expected ${issue.values.join(', ')}`,
          didYouMean(String(issue.input), issue.values.map(String)),
        ),
      ];
    default:
      return [
        diagnose(
          source,
          places.valueAt(path),
          'PLB-DOC-VALUE',
          `${label}: ${issue.message.replace(/^Invalid string: /, '')}`,
        ),
      ];
  }
}

const withArticle = (kind: string): string =>
  kind === 'array' ? 'a list' : `${/^[aeiou]/.test(kind) ? 'an' : 'a'} ${kind}`;

function kindOf(value: unknown): string {
  if (value === null) return 'empty';
  if (typeof value === 'number' && !Number.isFinite(value)) return 'no finite number';
  return Array.isArray(value) ? 'a list' : withArticle(typeof value);
}

export function formatPath(path: Path): string {
  return path.map((part, i) => (typeof part === 'number' ? `[${part}]` : i === 0 ? part : `.${part}`)).join('');
}

/** The keys that the shape knows at a path. */
function knownKeys(path: Path): string[] {
  let schema: unknown = documentShape;
  for (const part of path) schema = inner(schema, part);
  const shape = (unwrap(schema) as { shape?: object } | undefined)?.shape;
  return shape ? Object.keys(shape) : [];
}

interface AnySchema {
  readonly def?: {
    readonly innerType?: unknown;
    readonly element?: unknown;
    readonly valueType?: unknown;
    readonly type?: string;
  };
  readonly shape?: { readonly [key: string]: unknown };
}

function unwrap(schema: unknown): AnySchema | undefined {
  let current = schema as AnySchema | undefined;
  while (current?.def?.innerType) current = current.def.innerType as AnySchema;
  return current;
}

function inner(schema: unknown, part: string | number): unknown {
  const plain = unwrap(schema);
  if (typeof part === 'number') return plain?.def?.element;
  return plain?.shape && Object.hasOwn(plain.shape, part) ? plain.shape[part] : plain?.def?.valueType;
}

function placesOf(yaml: Document.Parsed, source: Source): Places {
  const whole = { start: 0, end: Math.min(1, source.text.length) };
  const spanOf = (node: unknown): Span | null => {
    const range = (node as { range?: readonly [number, number, number] | null } | null)?.range;
    return range ? { start: range[0], end: Math.max(range[0] + 1, range[1]) } : null;
  };
  // A map's own look-up goes through all its keys.
  const indexes = new Map<YAMLMap, ReadonlyMap<string, Pair>>();
  const pairIn = (map: YAMLMap, key: string | number): Pair | undefined => {
    let index = indexes.get(map);
    if (!index) {
      index = new Map(map.items.flatMap((item) => (isScalar(item.key) ? [[String(item.key.value), item]] : [])));
      indexes.set(map, index);
    }
    return index.get(String(key));
  };
  const childOf = (node: unknown, key: string | number): unknown =>
    isMap(node) ? pairIn(node, key)?.value : isSeq(node) ? node.items[Number(key)] : undefined;
  const nodeAt = (path: Path): unknown => path.reduce<unknown>(childOf, yaml.contents);
  const pairAt = (path: Path): unknown => {
    const parent = nodeAt(path.slice(0, -1));
    return isMap(parent) ? pairIn(parent, path[path.length - 1] ?? '') : undefined;
  };
  const valueAt = (path: Path): Span => {
    for (let depth = path.length; depth >= 0; depth--) {
      const node = nodeAt(path.slice(0, depth));
      const span = node === undefined ? null : spanOf(node);
      if (span) return isMap(node) || isSeq(node) ? firstLineOf(span, source.text) : span;
    }
    return whole;
  };
  const keyAt = (path: Path): Span => {
    const pair = path.length === 0 ? undefined : pairAt(path);
    const span = isPair(pair) ? spanOf(pair.key) : null;
    return span ?? valueAt(path);
  };
  const inside = (path: Path, start: number, end: number): Span => {
    const node = nodeAt(path);
    const span = spanOf(node);
    if (!span || !isScalar(node) || typeof node.value !== 'string') return span ?? whole;
    const offsets = alignScalar(source.text, span, node.value, node.type ?? 'PLAIN');
    const from = offsets[Math.min(start, offsets.length - 1)] ?? span.start;
    const last = offsets[Math.max(start, Math.min(end, offsets.length) - 1)] ?? from;
    return { start: from, end: Math.max(from, last) + 1 };
  };
  return { valueAt, keyAt, inside };
}

function firstLineOf(span: Span, text: string): Span {
  const newline = text.indexOf('\n', span.start);
  return { start: span.start, end: newline === -1 ? span.end : Math.min(span.end, newline) };
}

/**
 * For each character of a scalar's value, its offset in the source: folding and indentation only ever change white
 * space, and quotes add escapes, so the other characters appear in order.
 */
function alignScalar(text: string, span: Span, value: string, style: string): number[] {
  const isSpace = (at: number): boolean => /\s/.test(text[at] ?? '');
  let at = span.start;
  if (style === 'BLOCK_FOLDED' || style === 'BLOCK_LITERAL') at = text.indexOf('\n', at) + 1 || at;
  else if (style === 'QUOTE_DOUBLE' || style === 'QUOTE_SINGLE') at++;
  const offsets: number[] = [];
  for (const unit of value) {
    const unitIsSpace = /\s/.test(unit);
    if (style === 'QUOTE_DOUBLE') {
      if (text[at] === '\\' && isLineBreak(text[at + 1])) at++;
      if (!unitIsSpace) while (at < span.end && isSpace(at)) at++;
      const length = escapeLength(text, at, unit);
      if (length > 0) {
        for (let i = 0; i < unit.length; i++) offsets.push(Math.min(at, span.end - 1));
        at += length;
        continue;
      }
    }
    if (unitIsSpace) {
      offsets.push(Math.min(at, span.end - 1));
      if (isSpace(at)) at++;
      continue;
    }
    while (at < span.end && text[at] !== unit && isSpace(at)) at++;
    for (let i = 0; i < unit.length; i++) offsets.push(Math.min(at + i, span.end - 1));
    at += unit.length;
    if (style === 'QUOTE_SINGLE' && unit === "'" && text[at] === "'") at++;
  }
  offsets.push(Math.min(at, span.end));
  return offsets;
}

const isLineBreak = (unit: string | undefined): boolean => unit === '\n' || unit === '\r';

/** Characters of the escape at an offset; 0 where there is none. */
function escapeLength(text: string, at: number, unit: string): number {
  if (text[at] !== '\\') return 0;
  const kind = text[at + 1];
  if (kind === 'x') return 4;
  if (kind === 'U') return 10;
  // A pair of surrogates takes two escapes.
  if (kind === 'u') return unit.length === 2 && text[at + 6] === '\\' ? 12 : 6;
  return 2;
}
