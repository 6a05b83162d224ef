import { describe, refuse } from '../event-failure.ts';
import { isObject, type Json } from '../event-text.ts';

export const CHANGE_TYPES = [
  'CREATE',
  'UPDATE',
  'DELETE',
  'UNDELETE',
  'GAP_CREATE',
  'GAP_UPDATE',
  'GAP_DELETE',
  'GAP_UNDELETE',
  'GAP_OVERFLOW',
  'SNAPSHOT',
] as const;
export type ChangeType = (typeof CHANGE_TYPES)[number];
const KNOWN_TYPES: ReadonlyMap<string, ChangeType> = new Map(CHANGE_TYPES.map((one) => [one, one]));

/** What every change event begins with. Lists of fields as they came: names, or bitmaps; null where there is none. */
export interface ChangeEventHeader {
  readonly entityName: string;
  readonly recordIds: readonly unknown[];
  readonly changeType: ChangeType;
  readonly transactionKey: string;
  readonly sequenceNumber: number;
  /** Milliseconds. */
  readonly commitTimestamp: number;
  readonly changedFields: readonly string[] | null;
  readonly nulledFields: readonly string[] | null;
  readonly diffFields: readonly string[] | null;
}

/**
 * @param path of the header
 * @throws PlumblineError PLB-EVENT-SHAPE, PLB-EVENT-KIND
 */
export function readHeader(header: unknown, path: string): ChangeEventHeader {
  if (!isObject(header))
    return refuse(
      'PLB-EVENT-SHAPE',
      `\`ChangeEventHeader\` is ${describe(header)}, expected an object`,
      path,
      'only events of Change Data Capture are taken: no platform events, no PushTopics',
    );
  return {
    entityName: text(header, 'entityName', path),
    recordIds: list(header, 'recordIds', path),
    changeType: changeType(header, path),
    transactionKey: text(header, 'transactionKey', path),
    sequenceNumber: whole(header, 'sequenceNumber', path),
    commitTimestamp: whole(header, 'commitTimestamp', path),
    changedFields: fieldList(header, 'changedFields', path),
    nulledFields: fieldList(header, 'nulledFields', path),
    diffFields: fieldList(header, 'diffFields', path),
  };
}

function changeType(header: Json, path: string): ChangeType {
  const value = text(header, 'changeType', path);
  const known = KNOWN_TYPES.get(value);
  if (known !== undefined) return known;
  return refuse(
    'PLB-EVENT-KIND',
    `\`changeType\` is ${describe(value)}, expected ${CHANGE_TYPES.join(', ')}`,
    `${path}.changeType`,
  );
}

const MAX_TEXT_LENGTH = 256;

function text(header: Json, name: string, path: string): string {
  const value = header[name];
  if (typeof value === 'string' && value !== '' && value.length <= MAX_TEXT_LENGTH) return value;
  return refuse(
    'PLB-EVENT-SHAPE',
    `\`${name}\` is ${describe(value)}, expected a text of 1 to ${MAX_TEXT_LENGTH} characters`,
    `${path}.${name}`,
  );
}

function whole(header: Json, name: string, path: string): number {
  const value = header[name];
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
  return refuse(
    'PLB-EVENT-SHAPE',
    `\`${name}\` is ${describe(value)}, expected a whole number from 0`,
    `${path}.${name}`,
  );
}

function list(header: Json, name: string, path: string): readonly unknown[] {
  const value = header[name];
  if (Array.isArray(value)) return value;
  return refuse('PLB-EVENT-SHAPE', `\`${name}\` is ${describe(value)}, expected a list`, `${path}.${name}`);
}

function fieldList(header: Json, name: string, path: string): readonly string[] | null {
  if (header[name] === undefined || header[name] === null) return null;
  const fields = list(header, name, path);
  for (const [index, field] of fields.entries())
    if (typeof field !== 'string')
      refuse(
        'PLB-EVENT-SHAPE',
        `an item of \`${name}\` is ${describe(field)}, expected a field's name or a bitmap`,
        `${path}.${name}[${index}]`,
      );
  return fields as readonly string[];
}
