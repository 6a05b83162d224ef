import { PlumblineError } from '../errors.ts';
import { formatInstant, parseInstant } from '../language/contract.ts';
import type { LogRecord } from '../log/port.ts';
import type { ControlFact } from '../scoring/control-fact.ts';
import { jsonValue, placeOf, textOf } from './json-value.ts';
import type { KnownFact } from './wire.ts';

const CODE = 'PLB-CONTROL-DECODE';

/** @throws PlumblineError PLB-CONTROL-DECODE */
export function factFromJson(record: LogRecord): ControlFact {
  const json = jsonValue(record, CODE);
  const text = (name: string) => textOf(json, name, record, CODE);
  const at = () => {
    const ms = parseInstant(text('at'));
    if (ms === null)
      throw new PlumblineError(CODE, '`at` is no instant', { where: { ...placeOf(record), path: 'at' } });
    return ms;
  };
  switch (json.kind) {
    case 'activated':
    case 'rolled_back':
      return { kind: json.kind, set: text('set'), version: text('version'), at: at(), by: text('by') };
    case 'retired':
      return { kind: 'retired', set: text('set'), at: at(), by: text('by') };
    case 'redrive': {
      const entity = text('entity');
      if (entity !== 'deal' && entity !== 'account')
        throw new PlumblineError(CODE, `\`entity\` is \`${entity}\``, {
          where: { ...placeOf(record), path: 'entity' },
        });
      const set = json.set === null ? null : text('set');
      return { kind: 'redrive', id: text('id'), entity, entityId: text('entity_id'), set, at: at(), by: text('by') };
    }
    default:
      return { kind: 'other' };
  }
}

/** The JSON form of a fact: instants as text. */
export function factToJson(fact: KnownFact): { readonly [name: string]: unknown } {
  if (fact.kind !== 'redrive') return { ...fact, at: formatInstant(fact.at) };
  const { entityId, at, ...rest } = fact;
  return { ...rest, entity_id: entityId, at: formatInstant(at) };
}
