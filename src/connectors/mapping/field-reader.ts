import { PlumblineError } from '../../errors.ts';
import { decodeJson, type FieldType, TIMES_AS_NUMBERS } from '../../language/contract.ts';
import type { RecordEvent } from '../source-event.ts';
import { describe, evaluate } from './evaluate.ts';
import type { EventFieldSpec, EventScope, FieldSource, ReadSource } from './event-mapping.ts';
import { fieldForm } from './field-form.ts';
import { numberOfTime, readValue, textOf } from './read-value.ts';
import { NOT_TOLD, type SourcePath, toldAt } from './told.ts';

/** Told, and to be left as it is. */
export const LEFT_OUT = Symbol('left out');

type SetEvent = RecordEvent & { kind: 'set' };
type Read = EventFieldSpec['read'];

/**
 * What sets a field: its value as the contract has it in memory, null to clear, NOT_TOLD or LEFT_OUT. It is made once
 * for a mapping, so that an event costs what its own fields need.
 * @throws PlumblineError PLB-MAP-*; ContractBreach (both when it is called)
 */
export function fieldReader(name: string, type: FieldType, source: FieldSource): Read {
  const path = `fields.${name}`;
  const checked = (value: unknown): unknown =>
    value === null ? null : decodeJson(type, value, path, TIMES_AS_NUMBERS);
  if (source.kind === 'constant') return () => source.value;
  const place = `field \`${name}\``;
  if (source.kind === 'computed')
    return (_, scope) => checked(fieldForm(type, evaluate(source.cel, scope, place), name));
  const value = valueReader(name, type, source, checked);
  const { empty, from, isSetByRows } = source;
  const isTold = from instanceof Map ? severalAt(from) : (event: SetEvent) => toldAt(event, from as SourcePath);
  return (event, scope) => {
    const raw = isTold(event);
    if (raw === NOT_TOLD || (event.isRow === true && !isSetByRows)) return NOT_TOLD;
    const made = value(raw, scope);
    if (made !== null) return made;
    return empty === 'clear' ? null : empty === 'leave_out' ? LEFT_OUT : empty.value;
  };
}

/** Of several paths: told where one of them is. */
const severalAt = (paths: ReadonlyMap<string, SourcePath>) => (event: SetEvent) => {
  const found: { [name: string]: unknown } = {};
  let isTold = false;
  for (const [name, path] of paths) {
    const value = toldAt(event, path);
    if (value !== NOT_TOLD) isTold = true;
    found[name] = value === NOT_TOLD ? null : value;
  }
  return isTold ? found : NOT_TOLD;
};

/** What a raw value becomes, before `empty`. */
function valueReader(
  name: string,
  type: FieldType,
  source: ReadSource,
  checked: (value: unknown) => unknown,
): (raw: unknown, scope: EventScope) => unknown {
  const { from, reading, values, other, cel } = source;
  const text = from instanceof Map ? [...from.values()].map((path) => path.text).join(', ') : (from as SourcePath).text;
  const what = `\`${text}\` (field \`${name}\`)`;
  if (cel === null && values === null) return plainReader(name, type, reading, what, checked);
  const place = `field \`${name}\``;
  const read = (raw: unknown): unknown => (from instanceof Map ? raw : readValue(reading, raw, what));
  const make = (raw: unknown, scope: EventScope): unknown => {
    const value = read(raw);
    if (cel === null || value === null) return value;
    scope.value = value;
    return evaluate(cel, scope, place) ?? null;
  };
  if (values === null) return (raw, scope) => checked(fieldForm(type, make(raw, scope), name));
  return (raw, scope) => {
    const made = make(raw, scope);
    if (made === null) return null;
    const found = values.get(textOf(made) ?? notText(made, what, name));
    if (found !== undefined) return found;
    if (other === 'keep') return checked(fieldForm(type, made, name));
    return other === 'null' ? null : unnamed(textOf(made) ?? '', what, name);
  };
}

const notText = (made: unknown, what: string, name: string): never => {
  throw new PlumblineError('PLB-MAP-VALUE', `${what} is ${describe(made)}, and only a text can be among \`values\``, {
    where: { path: name },
    hint: 'make a text of it with `cel`',
  });
};

const unnamed = (text: string, what: string, name: string): never => {
  const told = text.length > 80 ? `${text.slice(0, 80)}…` : text;
  throw new PlumblineError('PLB-MAP-VALUE', `${what} is \`${told}\`, which its \`values\` don't name`, {
    where: { path: name },
    hint: `add \`${told}\` to the values of \`${name}\` in the mapping; the event can be redriven then`,
  });
};

/** Without an expression. Most values are of the field's own kind as they come: they need no form in between. */
function plainReader(
  name: string,
  type: FieldType,
  reading: ReadSource['reading'],
  what: string,
  checked: (value: unknown) => unknown,
): (raw: unknown) => unknown {
  const { as } = reading;
  const { kind } = type;
  if (kind === 'date' || kind === 'instant') return (raw) => checked(numberOfTime(kind, reading, raw, what));
  const read = (raw: unknown): unknown => {
    const value = readValue(reading, raw, what);
    return checked(as === 'int' ? fieldForm(type, value, name) : value);
  };
  if (as === 'number' && kind === 'double')
    return (raw) => (typeof raw === 'number' && Number.isFinite(raw) ? raw + 0 : read(raw));
  if (as === 'int' && kind === 'int')
    return (raw) => (typeof raw === 'number' && Number.isSafeInteger(raw) ? raw + 0 : read(raw));
  return read;
}
