import { CelScalar, celEnv, celFunc, isCelError, objectType, parse, plan } from '@bufbuild/cel';
import { strings } from '@bufbuild/cel/ext';
import { create } from '@bufbuild/protobuf';
import { DurationSchema, TimestampSchema } from '@bufbuild/protobuf/wkt';
import type { CompiledSet } from '../../src/compiler/compile.ts';
import type { Contract, Fields, FieldType, RecordValue, Value } from '../../src/language/contract.ts';
import type { Sight } from '../corpus.ts';
import { outcomeOf, type Peer, scopeOf } from './peer.ts';

type Run = (bindings: { [name: string]: unknown }) => unknown;

const DURATION = objectType(DurationSchema);
const environment = celEnv({
  funcs: [
    ...strings,
    celFunc('days', [DURATION], CelScalar.DOUBLE, (duration) => {
      const { seconds, nanos } = duration.message as unknown as { seconds: bigint; nanos: number };
      return (Number(seconds) * 1000 + nanos / 1e6) / 86_400_000;
    }),
  ],
});

/** The documents' own texts; null fields are left out of their maps. */
export function bufbuildPeer(set: CompiledSet): Peer {
  const covers: number[] = [];
  const planned = (text: string): Run => plan(environment, parse(text)) as Run;
  const rules = set.checked.constraints.flatMap((constraint, index) => {
    try {
      const when = constraint.when ? planned(constraint.when.text) : null;
      const value = planned(constraint.expr.text);
      covers.push(index);
      return [{ constraint, when, value }];
    } catch {
      return [];
    }
  });
  const ask = (run: Run, bindings: { [name: string]: unknown }): unknown => {
    try {
      const answer = run(bindings);
      return isCelError(answer) ? undefined : answer;
    } catch {
      return undefined;
    }
  };
  return {
    name: '@bufbuild/cel',
    covers,
    prepare: (sight) => toCel(set, sight),
    evaluate: (prepared) => {
      const bindings = prepared as { [name: string]: unknown };
      return rules.map(({ constraint, when, value }) => {
        const applies = when === null ? true : ask(when, bindings);
        return outcomeOf(constraint, applies, applies === true ? ask(value, bindings) : undefined);
      });
    },
  };
}

const timestamp = (ms: number) =>
  create(TimestampSchema, { seconds: BigInt(Math.floor(ms / 1000)), nanos: (((ms % 1000) + 1000) % 1000) * 1_000_000 });

function toCel(set: CompiledSet, sight: Sight): { [name: string]: unknown } {
  const { entities, params, now } = scopeOf(set, sight);
  const { contracts } = set.checked;
  return {
    deal: toMap(contracts.deal.fields, entities.deal ?? {}),
    account: toMap(contracts.account.fields, entities.account ?? {}),
    now: timestamp(now),
    params: new Map(
      set.checked.params.map(({ name, type }) => {
        const value = params.get(name);
        return [name, type.k === 'int' ? BigInt(value as number) : value];
      }),
    ),
  };
}

function toMap(types: Contract['fields'], fields: Fields): Map<string, unknown> {
  const map = new Map<string, unknown>();
  for (const { name, type } of types.values()) {
    const value = fields[name];
    if (value !== null && value !== undefined) map.set(name, celValue(type, value));
  }
  return map;
}

function celValue(type: FieldType, value: Value): unknown {
  switch (type.kind) {
    case 'int':
      return BigInt(value as number);
    case 'instant':
      return timestamp(value as number);
    case 'date':
      return timestamp((value as number) * 86_400_000);
    case 'list':
      return (value as Value[]).map((item) => celValue(type.items, item));
    case 'record':
      return toMap(type.fields, value as RecordValue);
    default:
      return value;
  }
}
