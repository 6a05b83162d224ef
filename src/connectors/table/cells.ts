import { type ErrorWhere, PlumblineError } from '../../errors.ts';
import { type DateFormat, parseDateText } from './date-format.ts';

/** A cell after its column's type; what is empty is null. An int is a bigint and a date a Date, as CEL has them. */
export type Cell = string | number | bigint | boolean | Date | null;

export interface Column {
  /** What expressions call it. */
  readonly name: string;
  /** What the file's first line calls it. */
  readonly header: string;
  readonly type: 'string' | 'number' | 'int' | 'bool' | 'date';
  readonly format: DateFormat | null;
  /** Texts that mean empty, beside the empty text itself. */
  readonly nulls: ReadonlySet<string>;
  readonly empty:
    | { readonly kind: 'null' }
    | { readonly kind: 'error' }
    | { readonly kind: 'value'; readonly value: Cell };
  readonly values: ReadonlyMap<string, string> | null;
  /** What happens to a text that `values` does not name. */
  readonly other: 'error' | 'keep' | 'null';
  readonly trueTexts: ReadonlySet<string>;
  readonly falseTexts: ReadonlySet<string>;
  readonly decimal: '.' | ',';
  readonly thousands: string | null;
}

const clip = (text: string): string => (text.length > 80 ? `${text.slice(0, 77)}…` : text);

/** @throws PlumblineError PLB-MAP-EMPTY, PLB-MAP-CELL, PLB-MAP-DATE, PLB-MAP-VALUE with the column as path */
export function readCell(column: Column, text: string): Cell {
  const where: ErrorWhere = { path: column.header };
  const fail = (code: string, message: string, hint?: string): never => {
    throw new PlumblineError(code, `column \`${column.header}\`: ${message}`, hint ? { where, hint } : { where });
  };
  if (text === '' || column.nulls.has(text)) {
    if (column.empty.kind === 'error') return fail('PLB-MAP-EMPTY', 'the cell is empty');
    return column.empty.kind === 'value' ? column.empty.value : null;
  }
  switch (column.type) {
    case 'string': {
      if (column.values === null) return text;
      const mapped = column.values.get(text);
      if (mapped !== undefined) return mapped;
      if (column.other === 'error')
        return fail('PLB-MAP-VALUE', `\`${clip(text)}\` is not in its value map`, 'add it under `values`');
      return column.other === 'keep' ? text : null;
    }
    case 'bool':
      if (column.trueTexts.has(text)) return true;
      if (column.falseTexts.has(text)) return false;
      return fail('PLB-MAP-CELL', `\`${clip(text)}\` is neither true nor false`);
    case 'int': {
      const plain = withoutThousands(column, text);
      const value = plain !== null && /^[+-]?\d{1,16}$/.test(plain) ? Number(plain) : Number.NaN;
      return Number.isSafeInteger(value) ? BigInt(value) : fail('PLB-MAP-CELL', `\`${clip(text)}\` is no whole number`);
    }
    case 'number': {
      const plain = withoutThousands(column, text)?.replace(column.decimal, '.');
      const value = plain !== undefined && NUMBER.test(plain) ? Number(plain) : Number.NaN;
      return Number.isFinite(value) ? value + 0 : fail('PLB-MAP-CELL', `\`${clip(text)}\` is no number`);
    }
    case 'date': {
      const ms = column.format && parseDateText(column.format, text);
      if (ms !== null) return new Date(ms);
      return fail('PLB-MAP-DATE', `\`${clip(text)}\` is no date of the format ${column.format?.text}`);
    }
  }
}

const NUMBER = /^[+-]?\d{1,40}(\.\d{1,40})?([eE][+-]?\d{1,3})?$/;

/** Takes thousands separators out where they stand right; null where they don't, or the other sign is in the way. */
function withoutThousands(column: Column, text: string): string | null {
  const foreign = column.decimal === '.' ? ',' : '.';
  if (column.thousands === null || !text.includes(column.thousands)) return text.includes(foreign) ? null : text;
  const [whole = '', ...fraction] = text.split(column.decimal);
  const groups = whole.split(column.thousands);
  const [first = '', ...others] = groups;
  if (!/^[+-]?\d{1,3}$/.test(first) || !others.every((group) => /^\d{3}$/.test(group))) return null;
  return [groups.join(''), ...fraction].join(column.decimal);
}
