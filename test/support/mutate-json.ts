import fc from 'fast-check';

type Path = readonly (string | number)[];

function pathsOf(value: unknown, at: Path = []): Path[] {
  if (value === null || typeof value !== 'object') return [at];
  return [at, ...Object.entries(value).flatMap(([name, item]) => pathsOf(item, [...at, name]))];
}

const HOSTILE_NAMES = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', ''];
const HOSTILE = [
  null,
  '',
  -1,
  1e300,
  2 ** 60,
  [],
  {},
  [[[]]],
  '__proto__',
  '0x',
  '0xffffffff',
  '999-0x01',
  '001*',
  true,
];

const replacement = fc.oneof(
  fc.constantFrom<unknown>(...HOSTILE),
  fc.jsonValue({ maxDepth: 2 }),
  fc.dictionary(fc.constantFrom(...HOSTILE_NAMES), fc.jsonValue({ maxDepth: 1 })),
);

/** JSON text of `value` with some of its members dropped, replaced, or given hostile neighbours. */
export function mutated(value: unknown): fc.Arbitrary<string> {
  const paths = pathsOf(value);
  const change = fc.record({
    path: fc.constantFrom(...paths),
    kind: fc.constantFrom('drop', 'replace', 'add'),
    name: fc.constantFrom(...HOSTILE_NAMES),
    value: replacement,
  });
  return fc.array(change, { minLength: 1, maxLength: 4 }).map((changes) => {
    // In a box, so that the whole can be replaced as well.
    const box = { value: structuredClone(value) };
    // A value is put in as a copy: a later change may reach into it.
    for (const one of changes) apply(box, ['value', ...one.path], { ...one, value: structuredClone(one.value) });
    return JSON.stringify(box.value) ?? 'null';
  });
}

interface Change {
  readonly kind: string;
  readonly name: string;
  readonly value: unknown;
}

function apply(box: object, path: Path, { kind, name, value }: Change): void {
  let parent: unknown = box;
  for (const step of path.slice(0, -1)) {
    if (parent === null || typeof parent !== 'object') return;
    parent = Reflect.get(parent, step);
  }
  const last = path.at(-1);
  if (parent === null || typeof parent !== 'object' || last === undefined) return;
  if (kind === 'drop' && path.length > 1) Reflect.deleteProperty(parent, last);
  else if (kind === 'replace') Reflect.set(parent, last, value);
  else {
    const target: unknown = Reflect.get(parent, last);
    if (target !== null && typeof target === 'object')
      Object.defineProperty(target, name, { value, enumerable: true, configurable: true, writable: true });
  }
}

/** Bytes with some of them changed. */
export const flipped = (bytes: Uint8Array): fc.Arbitrary<Uint8Array> =>
  fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 }).map((flips) => {
    const copy = Uint8Array.from(bytes);
    for (const [at, byte] of flips) copy[at] = byte;
    return copy;
  });
