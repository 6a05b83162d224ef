import { Environment } from '@marcbachmann/cel-js';
import type { CompiledSet } from '../../src/compiler/compile.ts';
import type { Contract, Fields, FieldType, RecordValue, Value } from '../../src/language/contract.ts';
import type { Sight } from '../corpus.ts';
import { outcomeOf, type Peer, scopeOf } from './peer.ts';

/** The documents' own texts. A null field is left out of its map, so that reading it is an error, which is "missing". */
export function marcbachmannPeer(set: CompiledSet): Peer {
  const environment = new Environment({ unlistedVariablesAreDyn: true });
  environment.registerFunction(
    'days(google.protobuf.Duration): double',
    (duration: { valueOf(): number }) => Number(duration.valueOf()) / 86_400_000,
  );
  const covers: number[] = [];
  const rules = set.checked.constraints.flatMap((constraint, index) => {
    try {
      const when = constraint.when ? environment.parse(constraint.when.text) : null;
      const value = environment.parse(constraint.expr.text);
      covers.push(index);
      return [{ constraint, when, value }];
    } catch {
      return [];
    }
  });
  const ask = (run: (context: never) => unknown, context: unknown): unknown => {
    try {
      return run(context as never);
    } catch {
      return undefined;
    }
  };
  return {
    name: '@marcbachmann/cel-js',
    covers,
    prepare: (sight) => toCel(set, sight),
    evaluate: (context) =>
      rules.map(({ constraint, when, value }) => {
        const applies = when === null ? true : ask(when as never, context);
        return outcomeOf(constraint, applies, applies === true ? ask(value as never, context) : undefined);
      }),
  };
}

function toCel(set: CompiledSet, sight: Sight) {
  const { entities, params, now } = scopeOf(set, sight);
  const { contracts } = set.checked;
  return {
    deal: entityOf(contracts.deal, entities.deal),
    account: entityOf(contracts.account, entities.account),
    now: new Date(now),
    params: Object.fromEntries(
      set.checked.params.map(({ name, type }) => {
        const value = params.get(name);
        return [name, type.k === 'int' ? BigInt(value as number) : value];
      }),
    ),
  };
}

const entityOf = (contract: Contract, fields: Fields | null) => recordOf(contract.fields, fields ?? {});

function recordOf(types: Contract['fields'], fields: Fields): { [name: string]: unknown } {
  const record: { [name: string]: unknown } = {};
  for (const { name, type } of types.values()) {
    const value = fields[name];
    if (value !== null && value !== undefined) record[name] = celValue(type, value);
  }
  return record;
}

function celValue(type: FieldType, value: Value): unknown {
  switch (type.kind) {
    case 'int':
      return BigInt(value as number);
    case 'instant':
      return new Date(value as number);
    case 'date':
      return new Date((value as number) * 86_400_000);
    case 'list':
      return (value as Value[]).map((item) => celValue(type.items, item));
    case 'record':
      return recordOf(type.fields, value as RecordValue);
    default:
      return value;
  }
}
