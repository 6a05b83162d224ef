import { PlumblineError } from '../../errors.ts';
import { type FieldType, parseDate, parseInstant } from '../../language/contract.ts';
import { describe } from './evaluate.ts';

const DAY_MS = 86_400_000;

/**
 * A value as its field has it in memory, times as numbers; what is of another kind stays, for the contract's own check
 * to name it. null clears.
 * @throws PlumblineError PLB-MAP-TYPE
 */
export function fieldForm(type: FieldType, value: unknown, path: string): unknown {
  if (value === null || value === undefined) return null;
  switch (type.kind) {
    case 'date': {
      const days = typeof value === 'string' ? parseDate(value) : null;
      return days ?? Math.floor(instant(value, path) / DAY_MS);
    }
    case 'instant':
      return instant(value, path);
    case 'double':
    case 'int':
      return typeof value === 'bigint' ? Number(value) : value;
    case 'list':
      return Array.isArray(value)
        ? value.map((item, index) => fieldForm(type.items, item, `${path}[${index}]`))
        : notOf(value, path, 'a list');
    case 'record':
      return typeof value === 'object' && !Array.isArray(value)
        ? Object.fromEntries(
            entriesOf(value).map(([name, item]) => {
              const field = type.fields.get(name);
              return [name, field ? fieldForm(field.type, item, `${path}.${name}`) : item];
            }),
          )
        : notOf(value, path, 'an object');
    default:
      return value;
  }
}

function instant(value: unknown, path: string): number {
  const ms = value instanceof Date ? value.getTime() : typeof value === 'string' ? parseInstant(value) : null;
  return ms === null || Number.isNaN(ms) ? notOf(value, path, 'a time') : ms;
}

const entriesOf = (value: object): readonly [string, unknown][] =>
  value instanceof Map ? [...(value as Map<string, unknown>).entries()] : Object.entries(value);

function notOf(value: unknown, path: string, expected: string): never {
  throw new PlumblineError('PLB-MAP-TYPE', `field \`${path}\` is ${describe(value)}, expected ${expected}`);
}
