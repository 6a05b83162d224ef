import { parse } from 'yaml';

/** A part of a document that is there in one, or differs. */
export interface DocumentChange {
  readonly what: string;
  readonly kind: 'added' | 'removed' | 'changed';
  /** Keys that differ. */
  readonly keys: readonly string[];
}

type Parts = { readonly [name: string]: unknown };

/** Of two documents of one set. */
export function changesBetween(a: string, b: string): readonly DocumentChange[] {
  const [before, after] = [partsOf(a), partsOf(b)];
  return [...new Set([...Object.keys(before), ...Object.keys(after)])].flatMap((what): DocumentChange[] => {
    const [x, y] = [before[what], after[what]];
    if (JSON.stringify(x) === JSON.stringify(y)) return [];
    if (x === undefined) return [{ what, kind: 'added', keys: [] }];
    if (y === undefined) return [{ what, kind: 'removed', keys: [] }];
    return [{ what, kind: 'changed', keys: keysThatDiffer(x, y) }];
  });
}

/** Constraints and parameters by name, the rest by key. Both documents have been checked. */
function partsOf(text: string): Parts {
  const {
    constraints = [],
    parameters = {},
    ...rest
  } = parse(text, { maxAliasCount: 0 }) as {
    constraints?: readonly { id: string }[];
    parameters?: Parts;
  } & Parts;
  return {
    ...Object.fromEntries(constraints.map((one) => [`constraint ${one.id}`, one])),
    ...Object.fromEntries(Object.entries(parameters).map(([name, one]) => [`parameter ${name}`, one])),
    ...rest,
  };
}

function keysThatDiffer(a: unknown, b: unknown): readonly string[] {
  const isParts = (value: unknown): value is Parts =>
    value !== null && typeof value === 'object' && !Array.isArray(value);
  if (!isParts(a) || !isParts(b)) return [];
  const names = [...new Set([...Object.keys(a), ...Object.keys(b)])];
  return names.filter((name) => JSON.stringify(a[name]) !== JSON.stringify(b[name]));
}
