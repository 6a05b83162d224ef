import { type Document, isMap, isPair, isScalar, parseDocument, visit } from 'yaml';
import type { ZodType } from 'zod';
import { type Diagnostic, diagnose, makeSource, type Source, type Span } from './diagnostics.ts';
import { didYouMean } from './suggest.ts';

const MAX_DIAGNOSTICS = 50;

export type Path = readonly (string | number)[];

/** What a kind of document calls itself, how long it may be in UTF-16 code units, and its codes. */
export interface DocumentKind {
  readonly what: string;
  readonly maxLength: number;
  readonly codes: { readonly yaml: string; readonly shape: string; readonly size: string };
}

/** Collects what is wrong with a document, with its places. */
export interface Findings {
  readonly list: Diagnostic[];
  /** At the value of a path, at its key, or at a part of its text. */
  add(code: string, path: Path, message: string, hint?: string | null, part?: Span | 'key'): void;
}

export interface ReadYaml<T> {
  readonly document: T | null;
  readonly findings: Findings;
}

/** Reads YAML and checks its shape; never throws for what the document holds. */
export function readShapedYaml<T>(
  text: string,
  file: string,
  shape: ZodType<T>,
  { what, maxLength, codes }: DocumentKind,
): ReadYaml<T> {
  const source = makeSource(file, text.slice(0, maxLength));
  const list: Diagnostic[] = [];
  const refuse = (code: string, span: Span, message: string): ReadYaml<T> => {
    list.push(diagnose(source, span, code, message));
    return { document: null, findings: { list, add: () => {} } };
  };
  if (text.length > maxLength)
    return refuse(codes.size, START, `${what} has ${text.length} characters, at most ${maxLength}`);
  let yaml: Document.Parsed;
  let raw: unknown;
  try {
    yaml = parseDocument(text, { uniqueKeys: true, prettyErrors: false, logLevel: 'error' });
    const error = yaml.errors[0];
    if (error) return refuse(codes.yaml, { start: error.pos[0], end: error.pos[1] }, firstLine(error.message));
    const reserved = spanOfKey(yaml, '__proto__');
    // The shape's check passes over it in silence.
    if (reserved) return refuse(codes.shape, reserved, '`__proto__` can be no name');
    raw = yaml.toJS({ maxAliasCount: 0 });
  } catch (error) {
    if (error instanceof RangeError) return refuse(codes.yaml, START, `${what} is nested too deep`);
    if (error instanceof ReferenceError)
      return refuse(codes.yaml, START, 'aliases (`*name`) are not allowed, write the value out');
    throw error;
  }
  const findings: Findings = {
    list,
    add: (code, path, message, hint, part) => {
      if (list.length < MAX_DIAGNOSTICS)
        list.push(diagnose(source, spanOf(yaml, source, path, part), code, message, hint ?? null));
    },
  };
  const shaped = shape.safeParse(raw);
  if (shaped.success) return { document: shaped.data, findings };
  for (const issue of shaped.error.issues) {
    const path = issue.path.filter((step) => typeof step !== 'symbol');
    const label = path.length === 0 ? what : `\`${path.join('.')}\``;
    if (issue.code === 'unrecognized_keys')
      for (const key of issue.keys) {
        const known = knownKeys(shape, path);
        findings.add(codes.shape, [...path, key], `unknown key \`${key}\``, didYouMean(key, known), 'key');
      }
    else findings.add(codes.shape, path, `${label}: ${reason(issue)}`);
  }
  return { document: null, findings };
}

const START: Span = { start: 0, end: 1 };
const firstLine = (text: string): string => text.split('\n', 1)[0] ?? text;

interface Issue {
  readonly code?: string | undefined;
  readonly message: string;
  readonly errors?: readonly (readonly Issue[])[];
}

/** A union's issue says only "invalid input": the shortest list of reasons is the branch that was meant. */
function reason(issue: Issue): string {
  if (issue.code !== 'invalid_union' || !issue.errors || issue.errors.length === 0) return issue.message;
  const specific = issue.errors.filter((branch) => branch.some((one) => one.code === 'unrecognized_keys'));
  const branches = specific.length > 0 ? specific : issue.errors;
  return [...new Set(branches.map((branch) => branch.map(reason).join(' and ')))].join(', or ');
}

interface AnySchema {
  readonly def?: { readonly innerType?: unknown; readonly element?: unknown; readonly valueType?: unknown };
  readonly shape?: { readonly [key: string]: unknown };
}

/** The keys that the shape knows at a path; none where it is a union. */
function knownKeys(shape: ZodType, path: Path): readonly string[] {
  let schema: AnySchema | undefined = shape as AnySchema;
  const unwrapped = (): AnySchema | undefined => {
    while (schema?.def?.innerType) schema = schema.def.innerType as AnySchema;
    return schema;
  };
  for (const step of path) {
    const plain = unwrapped();
    const next = typeof step === 'number' ? plain?.def?.element : (plain?.shape?.[step] ?? plain?.def?.valueType);
    schema = next as AnySchema | undefined;
  }
  return Object.keys(unwrapped()?.shape ?? {});
}

function spanOf(yaml: Document.Parsed, source: Source, path: Path, part?: Span | 'key'): Span {
  const key = part === 'key' ? keySpan(yaml, path) : null;
  if (key) return key;
  for (let depth = path.length; depth >= 0; depth--) {
    const node = depth === 0 ? yaml.contents : yaml.getIn(path.slice(0, depth), true);
    const range = (node as { range?: readonly [number, number, number] | null } | null | undefined)?.range;
    if (!range) continue;
    if (depth === path.length && typeof part === 'object' && isScalar(node))
      return partOf(source, range, String(node.type), part);
    // A map or a list has no first line of its own: its key is the place.
    return (isScalar(node) ? null : keySpan(yaml, path.slice(0, depth))) ?? { start: range[0], end: range[1] };
  }
  return START;
}

function spanOfKey(yaml: Document.Parsed, name: string): Span | null {
  let span: Span | null = null;
  visit(yaml, {
    Pair(_, { key }) {
      if (!isScalar(key) || key.value !== name) return undefined;
      span = { start: key.range?.[0] ?? 0, end: key.range?.[1] ?? 1 };
      return visit.BREAK;
    },
  });
  return span;
}

function keySpan(yaml: Document.Parsed, path: Path): Span | null {
  const parent = path.length <= 1 ? yaml.contents : yaml.getIn(path.slice(0, -1), true);
  if (!isMap(parent)) return null;
  const pair = parent.items.find((item) => isPair(item) && isScalar(item.key) && item.key.value === path.at(-1));
  const range = pair && isScalar(pair.key) ? pair.key.range : null;
  return range ? { start: range[0], end: range[1] } : null;
}

/** A part of a one-line scalar; of a folded or escaped one its start, because its text is not the source's. */
function partOf(source: Source, range: readonly [number, number, number], type: string, part: Span): Span {
  const quoted = type === 'QUOTE_SINGLE' || type === 'QUOTE_DOUBLE' ? 1 : 0;
  const text = source.text.slice(range[0], range[1]);
  const exact = !type.startsWith('BLOCK') && !/[\n\\]/.test(text) && !(quoted && text.slice(1, -1).includes("''"));
  if (!exact) return { start: range[0], end: Math.min(range[1], range[0] + (text.split('\n', 1)[0] ?? '').length) };
  return { start: range[0] + quoted + part.start, end: range[0] + quoted + Math.max(part.end, part.start + 1) };
}
