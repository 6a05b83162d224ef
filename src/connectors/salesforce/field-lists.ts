import { clip, refuse } from '../event-failure.ts';
import { isObject, type Json } from '../event-text.ts';
import { NOT_FIELDS } from './not-fields.ts';

/** The fields of an event in the order of its schema, which is what the bits of a bitmap stand for; 0 is the header. */
export interface FieldOrder {
  readonly names: readonly string[];
  /** Names of those that have parts. */
  readonly compounds: readonly string[];
  /** The parts of a compound field; null where it is none, or they are not known. */
  partsOf(index: number): readonly string[] | null;
}

const HEADER = 'ChangeEventHeader';
const BITMAP = /^0x([0-9a-f]{1,4096})$/i;
const NESTED_BITMAP = /^(\d{1,4})-0x([0-9a-f]{1,4096})$/i;
const NAME = /^[A-Za-z_]\w{0,254}$/;

/** No field's name begins with a digit. */
export const isBitmap = (item: string): boolean => item.charCodeAt(0) <= NINE;
const NINE = 0x39;

/** Without the schema the keys of a decoded event stand in for it: clients print them in its order. */
export function orderOfKeys(body: Json): FieldOrder {
  const names = Object.keys(body);
  return {
    names,
    compounds: [],
    partsOf(index) {
      const value = body[names[index] ?? ''];
      return isObject(value) ? Object.keys(value) : null;
    },
  };
}

const NO_PATHS: readonly string[] = [];
/** Objects of Salesforce have at most some hundred fields. */
const MAX_PATHS = 2_000;

/**
 * The paths that a list of the header names, such as `Industry` or `BillingAddress.City`: by name, or as bits
 * (`0x400800`; `6-0x01` for the parts of the compound field 6).
 * @param order of the event's schema; null: the keys of `body` stand in for it
 * @throws PlumblineError PLB-EVENT-BITMAP, PLB-EVENT-SHAPE
 */
export function fieldPaths(
  list: readonly string[] | null,
  order: FieldOrder | null,
  body: Json,
  where: string,
): readonly string[] {
  if (list === null || list.length === 0) return NO_PATHS;
  const fields = order ?? (list.some(isBitmap) ? orderOfKeys(body) : NO_FIELDS);
  const paths: string[] = [];
  for (const item of list) {
    const top = BITMAP.exec(item);
    const nested = top ? null : NESTED_BITMAP.exec(item);
    if (top) for (const bit of bitsOf(top[1] ?? '')) paths.push(nameOf(fields, bit, item, where));
    else if (nested) paths.push(...partPaths(fields, Number(nested[1]), nested[2] ?? '', item, where));
    else paths.push(namedPath(item, where));
  }
  if (paths.length > MAX_PATHS)
    refuse('PLB-EVENT-SHAPE', `a list names ${paths.length} fields, expected at most ${MAX_PATHS}`, where);
  return paths;
}

const NO_FIELDS: FieldOrder = { names: [], compounds: [], partsOf: () => null };

function partPaths(order: FieldOrder, index: number, hex: string, item: string, where: string): string[] {
  const parent = nameOf(order, index, item, where);
  const parts = order.partsOf(index);
  if (parts === null)
    return refuse(
      'PLB-EVENT-BITMAP',
      `\`${clip(item)}\` names parts of \`${parent}\`, which are not known`,
      where,
      'give the schema of this event, or have the client decode the bitmaps',
    );
  return bitsOf(hex).map((bit) => {
    const part = parts[bit];
    return part === undefined
      ? refuse('PLB-EVENT-BITMAP', `\`${clip(item)}\` has bit ${bit}, \`${parent}\` has ${parts.length} parts`, where)
      : `${parent}.${part}`;
  });
}

function nameOf({ names }: FieldOrder, bit: number, item: string, where: string): string {
  if (names[0] !== HEADER)
    return refuse(
      'PLB-EVENT-BITMAP',
      `\`${clip(item)}\` counts fields from \`${HEADER}\`, which is not the first here`,
      where,
      'the keys were reordered: give the schema of this event, or have the client decode the bitmaps',
    );
  const name = names[bit];
  if (name === undefined || bit === 0 || NOT_FIELDS.has(name))
    return refuse(
      'PLB-EVENT-BITMAP',
      `\`${clip(item)}\` has bit ${bit}, which is none of the ${names.length - 1} fields`,
      where,
      'the event was written with another schema',
    );
  return name;
}

const ZERO = 0x30;

function bitsOf(hex: string): number[] {
  const bits: number[] = [];
  for (let at = hex.length - 1, from = 0; at >= 0; at--, from += 4) {
    if (hex.charCodeAt(at) === ZERO) continue;
    const digit = Number.parseInt(hex[at] ?? '0', 16);
    for (let bit = 0; bit < 4; bit++) if ((digit & (1 << bit)) !== 0) bits.push(from + bit);
  }
  return bits;
}

function namedPath(item: string, where: string): string {
  const parts = item.split('.', 3);
  if (parts.length <= 2 && parts.every((part) => NAME.test(part) && !NOT_FIELDS.has(part))) return item;
  return refuse('PLB-EVENT-SHAPE', `\`${clip(item)}\` is neither a field's name nor a bitmap`, where);
}
